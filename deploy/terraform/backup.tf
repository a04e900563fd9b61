# Three nets, each for another fall: RDS goes back to any moment of the last week; AWS Backup keeps snapshots for months, out of
# reach of whoever may delete a database; deploy/backup.sh keeps dumps that any PostgreSQL can read.

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

# Until a snapshot is a week old, only somebody who may lift the lock can delete it.
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
    }
  }
}

resource "aws_backup_selection" "database" {
  name         = "${var.name}-database"
  plan_id      = aws_backup_plan.main.id
  iam_role_arn = aws_iam_role.main["backup"].arn
  resources    = [aws_db_instance.main.arn]
}

# Each night on one machine after the other; the first makes the dump, and the others see that it is there. When the first
# cannot, the next one does.

resource "aws_ssm_document" "backup" {
  count = local.on_ec2 ? 1 : 0

  name            = "${var.name}-backup"
  document_type   = "Command"
  document_format = "JSON"
  content = jsonencode({
    schemaVersion = "2.2"
    description   = "Back up the database of ${var.name} to S3, verified"
    mainSteps = [{
      action = "aws:runShellScript"
      name   = "backup"
      inputs = {
        timeoutSeconds = "7200"
        runCommand     = ["/opt/tms/current/deploy/backup.sh --unless-younger 20"]
      }
    }]
  })
}

resource "aws_ssm_association" "backup" {
  count = local.on_ec2 ? 1 : 0

  name                        = aws_ssm_document.backup[0].name
  association_name            = "${var.name}-backup"
  schedule_expression         = "cron(30 17 * * ? *)" # 02:30 in Japan
  apply_only_at_cron_interval = true
  max_concurrency             = "1"
  max_errors                  = "100%"

  targets {
    key    = "tag:Name"
    values = ["${var.name}-app-instance"]
  }
}
