# Three kinds of backup: RDS restores any moment of the last week; AWS Backup keeps snapshots for months, out of
# reach of anyone who may delete a database; deploy/backup.sh keeps dumps that any PostgreSQL can read.

locals {
  backup_rules = {
    daily   = { schedule = "cron(0 18 * * ? *)", keep_days = 35 } # 03:00 in Japan
    monthly = { schedule = "cron(0 19 1 * ? *)", keep_days = 365 }
  }
}

resource "aws_backup_vault" "main" {
  name        = "${var.name}-vault"
  kms_key_arn = aws_kms_key.main.arn
}

# Until a snapshot is a week old, only a person who may remove the lock can delete it.
resource "aws_backup_vault_lock_configuration" "main" {
  backup_vault_name  = aws_backup_vault.main.name
  min_retention_days = 7
  max_retention_days = 400
}

resource "aws_backup_plan" "main" {
  name = "${var.name}-plan"

  dynamic "rule" {
    for_each = local.backup_rules

    content {
      rule_name         = rule.key
      target_vault_name = aws_backup_vault.main.name
      schedule          = rule.value.schedule
      start_window      = 60
      completion_window = 360

      lifecycle {
        delete_after = rule.value.keep_days
      }

      # Out of reach of an attacker who controls this account.
      dynamic "copy_action" {
        for_each = compact([var.backup_copy_vault])

        content {
          destination_vault_arn = copy_action.value

          lifecycle {
            delete_after = rule.value.keep_days
          }
        }
      }
    }
  }
}

resource "aws_backup_selection" "database" {
  name         = "${var.name}-database"
  plan_id      = aws_backup_plan.main.id
  iam_role_arn = aws_iam_role.main["backup"].arn
  resources    = [aws_db_instance.main.arn]
}
