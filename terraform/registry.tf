resource "aws_ecr_repository" "web" {
  name                 = local.name
  image_tag_mutability = "IMMUTABLE"
  force_delete         = !var.protected

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "web" {
  repository = aws_ecr_repository.web.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Enough to go back to"
      # A version has two images: of the service, and of its proxy.
      selection = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 2 * local.cloud.images_kept }
      action    = { type = "expire" }
    }]
  })
}

# Makes the plan fail if an image is missing, instead of the deploy.
data "aws_ecr_image" "must_be_pushed" {
  for_each = { for use, image in { web = var.web_image, proxy = local.proxy_image, migrate = var.migrate_image } : use => image if image != "" }

  repository_name = aws_ecr_repository.web.name
  image_tag       = split(":", each.value)[1]

  lifecycle {
    precondition {
      condition     = split(":", each.value)[0] == aws_ecr_repository.web.repository_url
      error_message = "${each.key}_image: should be of ${aws_ecr_repository.web.repository_url}, got ${each.value}"
    }
  }
}

locals {
  # `inv cloud.deploy` pushes both images of a version; groundwork.cloud.registry names them.
  proxy_image = replace(var.web_image, ":", ":proxy-")
}
