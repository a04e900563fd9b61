# Topics of the alarms: `critical` pages the person on call, `warning` can wait until the morning.

locals {
  severities = toset(["critical", "warning"])

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
