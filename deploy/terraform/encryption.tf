# One key for all stored data. iam.tf grants its use to roles.

locals {
  key_users = [
    {
      Sid       = "LogsAreWritten"
      Effect    = "Allow"
      Principal = { Service = "logs.${var.region}.amazonaws.com" }
      Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
      Resource  = "*"
      Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${var.region}:${local.account}:log-group:*" } }
    },
    # Without a condition: an alarm that cannot encrypt its message sends none, and no error is reported. Which alarms may use the
    # topic is defined in the topic's own policy.
    {
      Sid       = "AlarmsAreSent"
      Effect    = "Allow"
      Principal = { Service = concat(["cloudwatch.amazonaws.com"], local.reporters) }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
      Resource  = "*"
    },
  ]

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
      local.key_users,
      # Through these services only: the same key protects secrets and logs.
      [for vault in compact([var.backup_copy_vault]) : {
        Sid       = "SnapshotsAreCopied"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${split(":", vault)[4]}:root" }
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        Resource  = "*"
        Condition = { StringEquals = { "kms:ViaService" = ["backup.${var.region}.amazonaws.com", "rds.${var.region}.amazonaws.com"] } }
      }],
      [for vault in compact([var.backup_copy_vault]) : {
        Sid       = "CopiesAreGranted"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${split(":", vault)[4]}:root" }
        Action    = ["kms:CreateGrant"]
        Resource  = "*"
        Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
      }],
    )
  }
}

resource "aws_kms_key" "main" {
  description             = "Stored data of ${var.name}: database, backups, logs, secrets, images"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = jsonencode(local.key_policy)
}

resource "aws_kms_alias" "main" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.main.key_id
}
