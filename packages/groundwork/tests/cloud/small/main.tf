# As much of terraform/ as the tasks touch, under the same names, so that trying them takes seconds: the whole of it is
# tried by tests of its own.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6.0"
    }
  }

  backend "s3" {
    key          = "small.tfstate"
    use_lockfile = true
  }
}

provider "aws" {
  region = local.cloud.region
}

variable "web_image" {
  type    = string
  default = ""
}

variable "migrate_image" {
  type    = string
  default = ""
}

variable "protected" {
  type    = bool
  default = true
}

# Where the test has something that answers.
variable "url" {
  type = string
}

locals {
  configuration = jsondecode(file("../config/production.json"))
  cloud         = local.configuration.cloud
  name          = local.cloud.name
  images        = { for use, image in { web = var.web_image, command = var.web_image, migrate = var.migrate_image } : use => image if image != "" }
  tasks         = { web = ["web", "proxy"], command = ["web"], migrate = ["migrate"] }
}

# Made by the test, since RDS takes its minutes even where nothing is behind it.
import {
  to = aws_db_instance.main
  id = local.name
}

resource "aws_db_instance" "main" {
  identifier          = local.name
  engine              = "postgres"
  instance_class      = local.cloud.database.instance_class
  allocated_storage   = local.cloud.database.storage_gb
  storage_encrypted   = true
  username            = "master"
  password            = "the test's own"
  deletion_protection = var.protected
  skip_final_snapshot = true
  availability_zone   = "${local.cloud.region}${local.cloud.zones[0]}"

  lifecycle {
    ignore_changes = [password]
  }
}

resource "aws_ecr_repository" "web" {
  name                 = local.name
  image_tag_mutability = "IMMUTABLE"
  force_delete         = true
}

resource "aws_cloudwatch_log_group" "service" {
  name = "/${local.name}/service"
}

resource "aws_ecs_cluster" "main" {
  name = local.name
}

resource "aws_ecs_task_definition" "of" {
  for_each = local.images

  family                   = "${local.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512

  container_definitions = jsonencode([for name in local.tasks[each.key] : {
    name        = name
    image       = name == "proxy" ? replace(each.value, ":", ":proxy-") : each.value
    essential   = true
    cpu         = 128
    memory      = 256
    stopTimeout = local.configuration.containers.web.stop_grace_s
    environment = [for name, value in local.configuration.environment : { name = name, value = tostring(value) }]
    secrets     = [for name in local.configuration.secrets : { name = name, valueFrom = "arn:aws:secretsmanager:${local.cloud.region}:123456789012:secret:${name}" }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.service.name
        awslogs-region        = local.cloud.region
        awslogs-stream-prefix = name
      }
    }
  }])
}

resource "aws_ecs_service" "web" {
  count = var.web_image == "" ? 0 : 1

  name                  = "${local.name}-web"
  cluster               = aws_ecs_cluster.main.id
  task_definition       = aws_ecs_task_definition.of["web"].arn
  launch_type           = "FARGATE"
  desired_count         = local.configuration.containers.web.replicas
  wait_for_steady_state = true

  timeouts {
    create = "${local.cloud.deployment_timeout_s}s"
    update = "${local.cloud.deployment_timeout_s}s"
  }

  network_configuration {
    subnets = data.aws_subnets.all.ids
  }

  lifecycle {
    postcondition {
      condition     = self.task_definition == aws_ecs_task_definition.of["web"].arn
      error_message = "The new task definition did not get stable and was rolled back: ${self.task_definition} serves on."
    }
  }
}

data "aws_subnets" "all" {}

data "aws_security_groups" "all" {}

output "region" {
  value = local.cloud.region
}

output "cluster" {
  value = aws_ecs_cluster.main.name
}

output "service" {
  value = "${local.name}-web"
}

output "repository_url" {
  value = aws_ecr_repository.web.repository_url
}

output "web_family" {
  value = "${local.name}-web"
}

output "command_family" {
  value = "${local.name}-command"
}

output "migrate_family" {
  value = "${local.name}-migrate"
}

output "web_task_definition" {
  value = try(aws_ecs_task_definition.of["web"].arn, null)
}

output "migrate_task_definition" {
  value = try(aws_ecs_task_definition.of["migrate"].arn, null)
}

output "subnets" {
  value = data.aws_subnets.all.ids
}

output "migrate_security_groups" {
  value = data.aws_security_groups.all.ids
}

output "log_group" {
  value = aws_cloudwatch_log_group.service.name
}

output "url" {
  value = var.url
}
