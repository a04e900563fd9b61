# Every alarm in one table. `meaning` is the text of its message; the runbook has the details. `metrics` has one entry, or
# several, m0, m1 and so on, which `expression` combines. Defaults: the worst value of 60 s counts, all of `periods` must
# be bad, and missing data does not alarm. Each of several metrics may have its own statistic, `stat`.
#
# Two severities: `critical` pages the person on call, because people or terminals are not served or soon will not be; `warning`, the
# default, can wait until the morning.

locals {
  runbook         = "https://github.com/${var.repository}/blob/main/docs/runbook.md"
  agent_namespace = "CWAgent" # of CloudWatch's agent on machines

  balancer_dimensions = tomap({ LoadBalancer = aws_lb.main.arn_suffix })
  target_dimensions   = merge(local.balancer_dimensions, { TargetGroup = aws_lb_target_group.app.arn_suffix })
  database_dimensions = tomap({ DBInstanceIdentifier = aws_db_instance.main.identifier })
  group_dimensions    = tomap({ AutoScalingGroupName = local.group_name })
  service_dimensions  = tomap({ ClusterName = "${var.name}-cluster", ServiceName = "${var.name}-serve" })

  cpu = local.on_ec2 ? { namespace = "AWS/EC2", name = "CPUUtilization", dimensions = local.group_dimensions } : {
    namespace = "AWS/ECS", name = "CPUUtilization", dimensions = local.service_dimensions
  }
  memory = local.on_ec2 ? { namespace = local.agent_namespace, name = "mem_used_percent", dimensions = local.group_dimensions } : {
    namespace = "AWS/ECS", name = "MemoryUtilization", dimensions = local.service_dimensions
  }
  # Space on the disk of a machine, or of a task.
  disk = local.on_ec2 ? [{ namespace = local.agent_namespace, name = "disk_used_percent", dimensions = local.group_dimensions }] : [
    for name in ["EphemeralStorageUtilized", "EphemeralStorageReserved"] :
    { namespace = "ECS/ContainerInsights", name = name, dimensions = local.service_dimensions }
  ]
  vault_dimensions = tomap({ BackupVaultName = aws_backup_vault.main.name })
  acl_dimensions   = { WebACL = aws_wafv2_web_acl.main.name, Region = var.region }

  # In pairs: the desired and the running number.
  wanted_and_running = local.on_ec2 ? [
    for name in ["GroupDesiredCapacity", "GroupInServiceInstances"] :
    { namespace = "AWS/AutoScaling", name = name, dimensions = local.group_dimensions }
    ] : [
    for pair in setproduct(["serve", "clock"], ["DesiredTaskCount", "RunningTaskCount"]) :
    { namespace = "ECS/ContainerInsights", name = pair[1], dimensions = { ClusterName = "${var.name}-cluster", ServiceName = "${var.name}-${pair[0]}" } }
  ]

  # TMS is down if no target is healthy, if no report is committed, or if requests fail and its metrics are missing.
  down = "ALARM(no-healthy-host) OR ALARM(reports-waiting) OR (ALARM(server-errors) AND ALARM(bridge-silent))"

  # Alarms that stop and undo a rollout; the same list is in deploy/pipeline/alarms.py.
  release_guards = ["no-healthy-host", "server-errors", "reports-waiting", "silent-terminals"]

  # Without dumps, and on ECS, whose image has no pg_dump, snapshots are the backup.
  makes_dumps = local.on_ec2 && var.database.dumps != "none"
  dump_hours  = var.database.dumps == "weekly" ? 168 : 26

  # Without dimensions, because each is one metric for the whole TMS.
  tms = {
    for name in [
      "AckSeconds", "ActiveTerminals", "AuditChainBroken", "BackupSuccess", "BreakGlassUsed", "ClockLag", "ClockLoopAge", "ConnectionsUsed",
      "DeliveriesGivenUp", "DeliveryWaiting", "FalseOffline", "FeedFailures", "IngestPending", "LogEventsLost", "NodesLost",
      "SignInsThrottled", "SilentTerminals", "SloMeasured", "SloMissed", "TotalTerminals",
    ] : name => { namespace = local.metrics_namespace, name = name, dimensions = tomap({}) }
  }

  alarms = {
    high-cpu-usage = {
      meaning = "CPU has been above 80 % for ten minutes, although scaling should keep it at ${local.busy_cpu_percent} %."
      metrics = [local.cpu], statistic = "Average", above = 80, period = 300, periods = 2
    }
    high-memory-usage = {
      meaning = "Memory has been above 85 % for ten minutes."
      metrics = [local.memory], statistic = "Average", above = 85, period = 300, periods = 2
    }
    no-healthy-host = {
      severity = "critical"
      meaning  = "No machine or task passes its health check: TMS does not answer."
      metrics  = [{ namespace = "AWS/ApplicationELB", name = "HealthyHostCount", dimensions = local.target_dimensions }]
      below    = 1, statistic = "Minimum", missing = "breaching"
    }
    server-errors = {
      severity = "critical"
      meaning  = "More than 20 requests a minute failed with a server error (5xx), for three minutes."
      # Not the 503 of the load balancer: the WAF answers terminals with it, and without a healthy host no-healthy-host fires.
      metrics = [
        { namespace = "AWS/ApplicationELB", name = "HTTPCode_Target_5XX_Count", dimensions = local.target_dimensions },
        { namespace = "AWS/ApplicationELB", name = "HTTPCode_ELB_502_Count", dimensions = local.balancer_dimensions },
        { namespace = "AWS/ApplicationELB", name = "HTTPCode_ELB_504_Count", dimensions = local.balancer_dimensions },
      ]
      expression = "SUM([FILL(m0,0),FILL(m1,0),FILL(m2,0)])", statistic = "Sum", above = 20, periods = 3
    }
    slow-responses = {
      meaning = "One request in a hundred took longer than 2 s, for five minutes."
      metrics = [{ namespace = "AWS/ApplicationELB", name = "TargetResponseTime", dimensions = local.target_dimensions }]
      above   = 2, statistic = "p99", periods = 5
    }
    low-db-storage = {
      severity = "critical"
      meaning  = "The database has less than 10 GB of free storage, although it should have grown."
      metrics  = [{ namespace = "AWS/RDS", name = "FreeStorageSpace", dimensions = local.database_dimensions }]
      # RDS begins to grow the storage of 100 GB at the same threshold: half an hour, so that growth does not page.
      below = 10737418240, statistic = "Average", period = 300, periods = 6
    }
    low-db-memory = {
      meaning = "The database has had less than 256 MB of free memory for 15 minutes."
      metrics = [{ namespace = "AWS/RDS", name = "FreeableMemory", dimensions = local.database_dimensions }]
      below   = 268435456, statistic = "Average", period = 300, periods = 3
    }
    slow-db-storage = {
      meaning    = "Reads or writes of the database's storage have taken longer than 20 ms for 15 minutes."
      metrics    = [for name in ["ReadLatency", "WriteLatency"] : { namespace = "AWS/RDS", name = name, dimensions = local.database_dimensions }]
      expression = "MAX([m0,m1])", statistic = "Average", above = 0.02, period = 300, periods = 3
    }
    high-db-cpu = {
      meaning = "The CPU of the database has been above 80 % for ten minutes."
      metrics = [{ namespace = "AWS/RDS", name = "CPUUtilization", dimensions = local.database_dimensions }]
      above   = 80, statistic = "Average", period = 300, periods = 2
    }
    many-db-connections = {
      severity = "critical"
      meaning  = "More than 80 % of the ${var.database.connections} database connections are in use."
      metrics  = [{ namespace = "AWS/RDS", name = "DatabaseConnections", dimensions = local.database_dimensions }]
      above    = floor(var.database.connections * 0.8), periods = 5
    }
    redis-memory = {
      meaning    = "Redis uses more than 75 % of its memory."
      metrics    = [for node in local.cache_nodes : { namespace = "AWS/ElastiCache", name = "DatabaseMemoryUsagePercentage", dimensions = { CacheClusterId = node } }]
      expression = "MAX([m0,m1])", above = 75, period = 300
    }
    redis-cpu = {
      meaning    = "The engine of Redis, which uses one core, has been busier than 80 % for ten minutes."
      metrics    = [for node in local.cache_nodes : { namespace = "AWS/ElastiCache", name = "EngineCPUUtilization", dimensions = { CacheClusterId = node } }]
      expression = "MAX([m0,m1])", statistic = "Average", above = 80, period = 300, periods = 2
    }
    redis-evictions = {
      meaning    = "Redis evicts entries that have not expired: pages are slower."
      metrics    = [for node in local.cache_nodes : { namespace = "AWS/ElastiCache", name = "Evictions", dimensions = { CacheClusterId = node } }]
      expression = "SUM([FILL(m0,0),FILL(m1,0)])", statistic = "Sum", above = 0, period = 300
    }
    silent-terminals = {
      severity = "critical"
      meaning  = "More than ${var.silent_terminals} terminals and ${var.silent_percent} % of the fleet have been silent for three minutes: a network problem, or TMS itself."
      # A chain that closes, or a machine that drains, is silent for a minute; what stays so long is neither.
      metrics    = [local.tms.SilentTerminals, local.tms.TotalTerminals]
      expression = "IF(FILL(m0,0) > ${var.silent_terminals} AND 100 * FILL(m0,0) > ${var.silent_percent} * m1, 1, 0)", above = 0, periods = 3
    }
    bridge-silent = {
      severity = "critical"
      meaning  = "TMS sends no metrics of the fleet, so the alarms about terminals have no data."
      metrics  = [local.tms.ActiveTerminals], below = 1, statistic = "SampleCount", periods = 5, missing = "breaching"
    }
    clock-lag = {
      severity = "critical"
      meaning  = "The clock is more than 15 s late: terminals do not become silent or offline in time."
      metrics  = [local.tms.ClockLag], above = 15, periods = 3
    }
    clock-loop-stalled = {
      severity = "critical"
      meaning  = "A loop of the clock has not succeeded within its limit: its work is not done."
      metrics  = [local.tms.ClockLoopAge], above = 100, periods = 3
    }
    reports-waiting = {
      severity = "critical"
      meaning  = "Reports wait, and none was acknowledged for three minutes: the database accepts no writes. Terminals keep their reports."
      metrics = [
        merge(local.tms.IngestPending, { stat = "Maximum" }),
        merge(local.tms.AckSeconds, { stat = "SampleCount" }),
      ]
      expression = "IF(FILL(m0,0) > 0 AND FILL(m1,0) == 0, 1, 0)", above = 0, periods = 3
    }
    terminals-blocked = {
      severity = "critical"
      meaning  = "The WAF blocks terminals: more of them connect from one address than terminals_per_address allows."
      metrics  = [{ namespace = "AWS/WAFV2", name = "BlockedRequests", dimensions = merge(local.acl_dimensions, { Rule = "TerminalRateLimitRule" }) }]
      above    = 0, statistic = "Sum", periods = 2
    }
    people-blocked = {
      meaning = "The WAF has refused more than 100 requests of people and programs within ten minutes."
      metrics = [
        for rule in concat(["RateLimitRule"], keys(local.managed_rules)) :
        { namespace = "AWS/WAFV2", name = "BlockedRequests", dimensions = merge(local.acl_dimensions, { Rule = rule }) }
      ]
      expression = "SUM([FILL(m0,0),FILL(m1,0),FILL(m2,0),FILL(m3,0)])", statistic = "Sum", above = 100, period = 600
    }
    sign-in-flood = {
      meaning = "More than 300 sign-ins within ten minutes were refused for too many wrong passwords: somebody is guessing."
      metrics = [local.tms.SignInsThrottled], above = 300, statistic = "Sum", period = 600
    }
    connections-full = {
      meaning = "A server process uses more than 80 % of its connections: at 100 % it refuses more with 503."
      metrics = [local.tms.ConnectionsUsed], above = 80, periods = 5
    }
    feed-failing = {
      meaning = "Redis has been unreachable for five minutes: boards are behind. Terminals and reports are not affected."
      metrics = [local.tms.FeedFailures], above = 0, statistic = "Sum", periods = 5
    }
    logs-lost = {
      meaning = "CloudWatch did not get all logs of TMS: the missing events are only in the files of the machines, or lost."
      metrics = [local.tms.LogEventsLost], above = 0, statistic = "Sum", period = 300
    }
    fewer-than-two = {
      severity = "critical"
      meaning  = "Fewer than two machines or tasks have been running for three minutes: if one fails, TMS is down."
      metrics  = [{ namespace = local.runners.namespace, name = local.runners.metric, dimensions = local.runners.dimensions }]
      below    = 2, statistic = "Minimum", periods = 3
    }
    too-few-running = {
      meaning    = "Fewer machines or tasks than desired have been running for 15 minutes: new ones do not become healthy."
      metrics    = local.wanted_and_running
      expression = local.on_ec2 ? "m0 - m1" : "(m0 - m1) + (m2 - m3)", statistic = "Average", above = 0, periods = 15
    }
    nodes-lost = {
      meaning = "A server process disappeared without draining, and was not back after three minutes."
      metrics = [local.tms.NodesLost], above = 0, periods = 3
    }
    false-offline = {
      meaning = "Terminals were shown as offline, although TMS itself was unavailable."
      metrics = [local.tms.FalseOffline], above = 0, statistic = "Sum"
    }
    detection-late = {
      meaning = "One report in a hundred is acknowledged later than 2 s."
      metrics = [local.tms.AckSeconds], above = 2, statistic = "p99", periods = 5
    }
    slo-missed = {
      meaning    = "More than 2 % of the stages of the service level (offline, board, notification, acknowledgement, rights) missed their target for 15 minutes, at least three every five minutes."
      metrics    = [local.tms.SloMissed, local.tms.SloMeasured]
      expression = "IF(FILL(m0,0) >= 3, 100 * m0 / m1, 0)", statistic = "Sum", above = 2, period = 300, periods = 3
    }
    break-glass-used = {
      severity = "critical"
      meaning  = "A break-glass account has signed in: there is an emergency, or its password is known."
      metrics  = [local.tms.BreakGlassUsed], above = 0, statistic = "Sum"
    }
    audit-chain-broken = {
      severity = "critical"
      meaning  = "An entry of the audit trail was edited or deleted in the database, not by TMS."
      metrics  = [local.tms.AuditChainBroken], above = 0
    }
    notifications-given-up = {
      meaning = "A notification failed: a destination rejected it permanently, or did not accept it for a day."
      metrics = [local.tms.DeliveriesGivenUp], above = 0, statistic = "Sum", period = 300
    }
    notifications-waiting = {
      severity = "critical"
      meaning  = "A notification has been overdue for more than 15 minutes: a destination does not answer, or no clock is sending."
      metrics  = [local.tms.DeliveryWaiting], above = 900, periods = 3
    }
    disk-full = {
      meaning    = "The disk of a machine or task has been more than 85 % full for ten minutes."
      metrics    = local.disk
      expression = local.on_ec2 ? "MAX([m0])" : "100 * m0 / m1", above = 85, period = 300, periods = 2
    }
    nat-failing = {
      meaning    = "A NAT gateway drops packets or has no free port: notifications by mail, chat and webhook may not leave."
      metrics    = [for pair in setproduct(keys(aws_nat_gateway.outbound), ["PacketsDropCount", "ErrorPortAllocation"]) : { namespace = "AWS/NATGateway", name = pair[1], dimensions = { NatGatewayId = aws_nat_gateway.outbound[pair[0]].id } }]
      expression = "SUM([${join(",", [for index in range(2 * length(aws_nat_gateway.outbound)) : "FILL(m${index},0)"])}])", statistic = "Sum", above = 100, period = 300, periods = 2
    }
    mail-rejected = {
      meaning    = "More than 5 % of the e-mails through Amazon SES bounced, or 0.1 % were reported as spam: SES may suspend the account."
      metrics    = [for name in ["Reputation.BounceRate", "Reputation.ComplaintRate"] : { namespace = "AWS/SES", name = name, dimensions = tomap({}) }]
      expression = "IF(FILL(m0,0) > 0.05 OR FILL(m1,0) > 0.001, 1, 0)", above = 0, period = 3600
    }
    backup-missing = {
      meaning = local.makes_dumps ? "No dump of the database was verified in S3 within ${local.dump_hours} hours." : "AWS Backup completed no snapshot of the database within 28 hours."
      metrics = [local.makes_dumps ? local.tms.BackupSuccess : { namespace = "AWS/Backup", name = "NumberOfBackupJobsCompleted", dimensions = local.vault_dimensions }]
      below   = 1, statistic = "Sum", period = 3600, periods = local.makes_dumps ? local.dump_hours : 28, missing = "breaching"
    }
    snapshot-missing = {
      meaning = "AWS Backup completed no snapshot of the database within 28 hours."
      metrics = [{ namespace = "AWS/Backup", name = "NumberOfBackupJobsCompleted", dimensions = local.vault_dimensions }]
      below   = 1, statistic = "Sum", period = 3600, periods = 28, missing = "breaching"
    }
    snapshot-failed = {
      meaning    = "A snapshot, its copy to the other account, or a test of a restore failed or did not start in time."
      metrics    = [for name in ["NumberOfBackupJobsFailed", "NumberOfBackupJobsExpired", "NumberOfCopyJobsFailed", "NumberOfRestoreJobsFailed"] : { namespace = "AWS/Backup", name = name, dimensions = name == "NumberOfRestoreJobsFailed" ? tomap({}) : local.vault_dimensions }]
      expression = "SUM([FILL(m0,0),FILL(m1,0),FILL(m2,0),FILL(m3,0)])", statistic = "Sum", above = 0, period = 3600
    }
    certificate-expires = {
      meaning = "The certificate expires in less than three weeks: ACM could not renew it."
      metrics = [{ namespace = "AWS/CertificateManager", name = "DaysToExpiry", dimensions = { CertificateArn = aws_acm_certificate.main.arn } }]
      below   = 21, statistic = "Minimum", period = 86400
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "main" {
  for_each = local.alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${each.value.meaning} What to do: ${local.runbook}#${each.key}"
  actions_enabled   = true
  alarm_actions     = [aws_sns_topic.alerts[try(each.value.severity, "warning")].arn]
  ok_actions        = [aws_sns_topic.alerts[try(each.value.severity, "warning")].arn]

  comparison_operator = can(each.value.below) ? "LessThanThreshold" : "GreaterThanThreshold"
  threshold           = try(each.value.below, each.value.above)
  evaluation_periods  = try(each.value.periods, 1)
  datapoints_to_alarm = try(each.value.periods, 1)
  treat_missing_data  = try(each.value.missing, "notBreaching")

  # One metric
  namespace          = can(each.value.expression) ? null : each.value.metrics[0].namespace
  metric_name        = can(each.value.expression) ? null : each.value.metrics[0].name
  dimensions         = can(each.value.expression) ? null : each.value.metrics[0].dimensions
  period             = can(each.value.expression) ? null : try(each.value.period, 60)
  statistic          = can(each.value.expression) || startswith(try(each.value.statistic, ""), "p") ? null : try(each.value.statistic, "Maximum")
  extended_statistic = startswith(try(each.value.statistic, ""), "p") ? each.value.statistic : null

  # Several
  dynamic "metric_query" {
    for_each = can(each.value.expression) ? each.value.metrics : []

    content {
      id = "m${metric_query.key}"

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.name
        dimensions  = metric_query.value.dimensions
        period      = try(each.value.period, 60)
        stat        = try(metric_query.value.stat, each.value.statistic, "Maximum")
      }
    }
  }
  dynamic "metric_query" {
    for_each = can(each.value.expression) ? [each.value.expression] : []

    content {
      id          = "all"
      label       = each.key
      expression  = metric_query.value
      return_data = true
    }
  }
}

# One message for an outage, in addition to those of its parts.
resource "aws_cloudwatch_composite_alarm" "down" {
  alarm_name        = "${var.name}-down"
  alarm_description = "TMS is down: no target is healthy, or no report is committed. What to do: ${local.runbook}#down"
  actions_enabled   = true
  alarm_actions     = [aws_sns_topic.alerts["critical"].arn]
  ok_actions        = [aws_sns_topic.alerts["critical"].arn]

  alarm_rule = replace(local.down, "/ALARM\\(([a-z-]+)\\)/", "ALARM(\"${var.name}-$1\")")

  depends_on = [aws_cloudwatch_metric_alarm.main]
}
