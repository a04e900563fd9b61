terraform {
  # Exactly these, as the tests and the pipeline have them; a newer one is a change like any other.
  required_version = "1.15.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "6.69.1"
    }
    random = {
      source  = "hashicorp/random"
      version = "3.9.1"
    }
  }

  # `terraform init -backend-config=...` names the bucket that bootstrap/ made.
  backend "s3" {}
}

provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}

# CloudFront takes certificates from here and from nowhere else.
provider "aws" {
  alias  = "global"
  region = "us-east-1"

  default_tags {
    tags = local.tags
  }
}

data "aws_caller_identity" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
  tags    = { Project = var.name, Environment = var.environment, ManagedBy = "terraform" }
}
