locals {
  log_groups = {
    application = "Log of TMS, on machines and in containers"
    nginx       = "Requests as each machine's nginx saw them"
    machine     = "First start of machines, and what supervisor does there"
    ecs         = "Standard output of containers"
    sessions    = "What people did in sessions on machines"
    network     = "Packets that the firewall refused"
    redis       = "Slow commands"
  }
}

resource "aws_cloudwatch_log_group" "main" {
  for_each = local.log_groups

  name              = "${var.name}-${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.main.arn

  tags = { Purpose = each.value }
}

# RDS prescribes these names.
resource "aws_cloudwatch_log_group" "database" {
  for_each = toset(["postgresql", "upgrade"])

  name              = "/aws/rds/instance/${local.database_identifier}/${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.main.arn
}

# WAF requires this prefix.
resource "aws_cloudwatch_log_group" "waf" {
  name              = "aws-waf-logs-${var.name}"
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.main.arn
}
