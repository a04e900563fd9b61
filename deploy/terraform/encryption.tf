# One key for all that is kept. Roles may use it where iam.tf says so; services only for what lies in this account.

locals {
  key_users = {
    "logs.${var.region}.amazonaws.com" = {
      ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${var.region}:${local.account}:log-group:*" }
    }
    "cloudwatch.amazonaws.com" = { StringEquals = { "aws:SourceAccount" = local.account } }
  }

  key_policy = {
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "TheAccountDecides"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*" # in the policy of a key this is the key itself
      }],
      [for service, condition in local.key_users : {
        Effect    = "Allow"
        Principal = { Service = service }
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        Resource  = "*"
        Condition = condition
      }],
    )
  }
}

resource "aws_kms_key" "main" {
  description             = "What ${var.name} keeps: database, backups, logs, secrets, images"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = jsonencode(local.key_policy)
}

resource "aws_kms_alias" "main" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.main.key_id
}
