# Three kinds of backup: RDS restores any moment of the last week; AWS Backup keeps snapshots for months, out of
# reach of anyone who may delete a database; deploy/backup.sh keeps dumps that any PostgreSQL can read.

locals {
  backup_rules = {
    # At midnight in Japan, and never both on one day. The check of the windows in variables.tf has the same hour.
    daily = { schedule = "cron(0 15 2-31 * ? *)", keep_days = 35 }
    # All reports turn over within 14 days, so that each month is a full copy of its own: a year of them costs more than the database.
    monthly = { schedule = "cron(0 15 1 * ? *)", keep_days = 90 }
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

# The drill: each quarter the newest snapshot becomes an instance beside the database, which AWS deletes again. The alarm
# snapshot-failed reports one that cannot be restored.
resource "aws_backup_restore_testing_plan" "main" {
  name                         = "${replace(var.name, "-", "_")}_restore_test"
  schedule_expression          = "cron(0 21 1 1,4,7,10 ? *)"
  schedule_expression_timezone = "UTC"
  start_window_hours           = 4

  recovery_point_selection {
    algorithm             = "LATEST_WITHIN_WINDOW"
    include_vaults        = [aws_backup_vault.main.arn]
    recovery_point_types  = ["SNAPSHOT"]
    selection_window_days = 7
  }
}

resource "aws_backup_restore_testing_selection" "database" {
  name                      = "database"
  restore_testing_plan_name = aws_backup_restore_testing_plan.main.name
  iam_role_arn              = aws_iam_role.main["backup"].arn
  protected_resource_type   = "RDS"
  protected_resource_arns   = [aws_db_instance.main.arn]
  validation_window_hours   = 2

  # Without these RDS would use the default network of the account.
  restore_metadata_overrides = {
    dbSubnetGroupName   = aws_db_subnet_group.main.name
    vpcSecurityGroupIds = jsonencode([aws_security_group.tier["db"].id])
    multiAz             = "false"
  }
}
