# The bucket for the state of everything else, made once an account by somebody who may: its own state stays on this
# machine and can be thrown away.
#
#   terraform -chdir=terraform/bootstrap init && terraform -chdir=terraform/bootstrap apply
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6.0"
    }
  }
}

variable "configuration" {
  description = "The file that the name and the region come from"
  type        = string
  default     = "../../config/production.json"
}

locals {
  cloud = jsondecode(file(var.configuration)).cloud
}

provider "aws" {
  region              = local.cloud.region
  allowed_account_ids = try([local.cloud.account], null)
}

resource "aws_s3_bucket" "state" {
  bucket = local.cloud.state_bucket

  lifecycle {
    prevent_destroy = true
  }
}

# What was overwritten or deleted can be had back.
resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket                  = aws_s3_bucket.state.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

output "bucket" {
  value = aws_s3_bucket.state.id
}

output "region" {
  value = local.cloud.region
}
