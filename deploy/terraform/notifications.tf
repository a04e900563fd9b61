# Topics of the alarms: `critical` pages the person on call, `warning` can wait until the morning. Events of the database and rejected
# e-mail go to `warning`, too.

locals {
  severities = toset(["critical", "warning"])
  reporters  = ["events.rds.amazonaws.com", "ses.amazonaws.com"]

  # E-mail addresses receive both; people on call receive only critical alarms.
  subscribers = concat(
    [for pair in setproduct(local.severities, var.alarm_emails) : { severity = pair[0], protocol = "email", endpoint = pair[1] }],
    [for one in var.on_call : { severity = "critical", protocol = one.protocol, endpoint = one.endpoint }],
  )
}

resource "aws_sns_topic" "alerts" {
  for_each = local.severities

  name              = "${var.name}-alerts-${each.key}"
  kms_master_key_id = aws_kms_key.main.arn
}

resource "aws_sns_topic_policy" "alerts" {
  for_each = local.severities

  arn = aws_sns_topic.alerts[each.key].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AlarmsPublish"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alerts[each.key].arn
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
      {
        Sid       = "ServicesReport"
        Effect    = "Allow"
        Principal = { Service = local.reporters }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alerts[each.key].arn
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
      {
        Sid       = "OnlyOverTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alerts[each.key].arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "main" {
  for_each = { for one in local.subscribers : "${one.severity} ${one.endpoint}" => one }

  topic_arn              = aws_sns_topic.alerts[each.value.severity].arn
  protocol               = each.value.protocol
  endpoint               = each.value.endpoint
  endpoint_auto_confirms = each.value.protocol == "https"
}

# What no metric shows: failovers, restarts, maintenance.
resource "aws_db_event_subscription" "main" {
  name             = "${var.name}-database-events"
  sns_topic        = aws_sns_topic.alerts["warning"].arn
  source_type      = "db-instance"
  source_ids       = [aws_db_instance.main.identifier]
  event_categories = ["availability", "failover", "failure", "maintenance", "notification", "recovery"]

  depends_on = [aws_sns_topic_policy.alerts]
}

# By e-mail only: AWS Budgets cannot use the key of the topics without another permission.
resource "aws_budgets_budget" "main" {
  name         = "${var.name}-monthly"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_budget)
  limit_unit   = "USD"

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }

    content {
      notification_type          = notification.key
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = var.alarm_emails
    }
  }
}
