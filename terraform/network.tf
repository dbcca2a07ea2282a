# Network in two zones. The load balancer is public. Tasks and the database are reachable only from it, and have routes
# only to five AWS services (docs/decisions explains why there is no NAT, and the remaining risks).
resource "aws_vpc" "main" {
  cidr_block           = local.cloud.network
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = local.name }
}

resource "aws_subnet" "public" {
  for_each = local.zones

  vpc_id            = aws_vpc.main.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 4, each.value)

  tags = { Name = "${local.name} public ${each.key}" }
}

resource "aws_subnet" "private" {
  for_each = local.zones

  vpc_id            = aws_vpc.main.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 4, each.value + 8)

  tags = { Name = "${local.name} private ${each.key}" }
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id

  tags = { Name = local.name }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.main.id
  }

  tags = { Name = "${local.name} public" }
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.main.id

  tags = { Name = "${local.name} private" }
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private.id
}

# Without rules, so that resources in it by mistake have no connections.
resource "aws_default_security_group" "main" {
  vpc_id = aws_vpc.main.id
}

# Record of connections, for later analysis.
resource "aws_flow_log" "main" {
  vpc_id               = aws_vpc.main.id
  traffic_type         = "ALL"
  log_destination_type = "s3"
  log_destination      = aws_s3_bucket.access_logs.arn

  tags = { Name = local.name }

  depends_on = [aws_s3_bucket_policy.access_logs]
}

# Endpoints for images, logs and secrets. S3 stores the layers of images.
resource "aws_vpc_endpoint" "service" {
  for_each = local.through_endpoints

  vpc_id              = aws_vpc.main.id
  service_name        = "com.amazonaws.${local.cloud.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = local.private_subnets
  security_group_ids  = [aws_security_group.of["endpoints"].id]
  private_dns_enabled = true
  policy              = data.aws_iam_policy_document.endpoint[each.key].json

  tags = { Name = "${local.name} ${each.key}" }
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.main.id
  service_name    = "com.amazonaws.${local.cloud.region}.s3"
  route_table_ids = [aws_route_table.private.id]
  policy          = data.aws_iam_policy_document.layers.json

  tags = { Name = "${local.name} s3" }
}

# Limits of an endpoint, whatever the caller's credentials: only principals and resources of this account, and only the
# actions that start a task. Without a policy, an endpoint gives access to secrets, logs and images of every account.
data "aws_iam_policy_document" "endpoint" {
  for_each = local.through_endpoints

  dynamic "statement" {
    for_each = each.value
    content {
      actions   = statement.value.actions
      resources = statement.value.resources
      principals {
        type        = "*"
        identifiers = ["*"]
      }
      condition {
        test     = "StringEquals"
        variable = "aws:PrincipalAccount"
        values   = [data.aws_caller_identity.current.account_id]
      }
    }
  }
}

# ECR returns presigned URLs of its own bucket, so reading is enough.
data "aws_iam_policy_document" "layers" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::prod-${local.cloud.region}-starport-layer-bucket/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}

locals {
  account = "${local.cloud.region}:${data.aws_caller_identity.current.account_id}"
  pulls   = { actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], resources = [aws_ecr_repository.web.arn] }
  enters  = { actions = ["ecr:GetAuthorizationToken"], resources = ["*"] } # this action supports no other resource

  through_endpoints = {
    "ecr.api"      = [local.enters, local.pulls]
    "ecr.dkr"      = [local.enters, local.pulls]
    logs           = [{ actions = ["logs:CreateLogStream", "logs:PutLogEvents"], resources = ["${aws_cloudwatch_log_group.service.arn}:*"] }]
    secretsmanager = [{ actions = ["secretsmanager:GetSecretValue"], resources = ["arn:aws:secretsmanager:${local.account}:secret:*"] }]
  }

  zones           = { for index, letter in local.cloud.zones : "${local.cloud.region}${letter}" => index }
  private_subnets = [for zone in keys(local.zones) : aws_subnet.private[zone].id]
  public_subnets  = [for zone in keys(local.zones) : aws_subnet.public[zone].id]
}
