terraform {
  required_version = ">= 1.11" # for write-only arguments and S3-native state locking

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6.0"
    }
  }

  # `terraform init` gets the bucket and the region as options; bootstrap/ creates the bucket.
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
