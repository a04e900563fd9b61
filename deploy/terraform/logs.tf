locals {
  log_groups = {
    application = "What TMS says, on machines and in containers"
    nginx       = "Requests as each machine's nginx saw them"
    machine     = "First start of machines, and what supervisor does there"
    ecs         = "Standard output of containers"
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

# The names are RDS's.
resource "aws_cloudwatch_log_group" "database" {
  for_each = toset(["postgresql", "upgrade"])

  name              = "/aws/rds/instance/${local.database_identifier}/${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.main.arn
}

# WAF takes no other beginning of a name.
resource "aws_cloudwatch_log_group" "waf" {
  name              = "aws-waf-logs-${var.name}"
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.main.arn
}
