terraform {
  required_version = ">= 1.11" # write-only arguments, and the state's lock in S3 itself

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6.0"
    }
  }

  # The bucket and the region are given to `terraform init`: bootstrap/ makes the bucket.
  backend "s3" {
    key          = "groundwork.tfstate"
    use_lockfile = true
    encrypt      = true
  }
}

provider "aws" {
  region              = local.cloud.region
  allowed_account_ids = try([local.cloud.account], null)

  default_tags {
    tags = { Service = local.name }
  }
}

data "aws_caller_identity" "current" {}
