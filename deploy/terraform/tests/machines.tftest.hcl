# The plan for an empty account with the values of env/production.tfvars, on machines. One run, because each takes seconds.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias  = "global"
  source = "./tests/mocks"
}

mock_provider "random" {}

override_resource {
  target = aws_sns_topic.alerts["critical"]
  values = { arn = "arn:aws:sns:ap-northeast-1:123456789012:tms-alerts-critical" }
}

run "an_empty_account_gets_it_all" {
  variables {
    settings          = { TMS_READINGS_DAYS = "30" }
    mail              = { ses = true, from = "TMS <tms@techcore-solutions.jp>" }
    known_addresses   = ["192.0.2.10/32"]
    backup_copy_vault = "arn:aws:backup:ap-northeast-1:210987654321:backup-vault:tms-copies"
    on_call           = [{ protocol = "sms", endpoint = "+819012345678" }]
    notify_topics = [{
      arn = "arn:aws:sns:ap-northeast-1:123456789012:on-call"
      key = "arn:aws:kms:ap-northeast-1:123456789012:key/87654321-4321-4321-4321-210987654321"
    }]
  }

  # The network

  assert {
    condition     = sort([for subnet in concat(values(aws_subnet.public), values(aws_subnet.private)) : "${subnet.tags.Name} ${subnet.cidr_block} ${subnet.availability_zone}"]) == tolist(["tms-private-subnet-1 10.0.10.0/24 ap-northeast-1a", "tms-private-subnet-2 10.0.11.0/24 ap-northeast-1c", "tms-public-subnet-1 10.0.1.0/24 ap-northeast-1a", "tms-public-subnet-2 10.0.2.0/24 ap-northeast-1c"])
    error_message = "The subnets must have the manual's names, addresses and zones."
  }
  assert {
    condition     = alltrue([for zone, route in aws_route.outbound : route.nat_gateway_id == aws_nat_gateway.outbound[zone].id])
    error_message = "Each zone must have its own NAT gateway."
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.public : rule.security_group_id == aws_security_group.tier["alb"].id && contains([80, 443], rule.from_port)])
    error_message = "Only the load balancer must be reachable from the internet, on 80 and 443."
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.flow : rule.cidr_ipv4 == null && rule.referenced_security_group_id != null && rule.from_port == rule.to_port])
    error_message = "Inside the network, each port must be open to one group, and not to addresses."
  }
  assert {
    condition     = length(setsubtract(["autoscaling", "ecr.api", "ecr.dkr", "logs", "monitoring", "secretsmanager", "ssm"], keys(aws_vpc_endpoint.service))) == 0 && aws_vpc_endpoint.storage.vpc_endpoint_type == "Gateway"
    error_message = "AWS services must be reachable from inside the network."
  }

  # The database

  assert {
    condition     = aws_db_instance.main.identifier == "tms-database" && startswith(aws_db_instance.main.engine_version, "17") && aws_db_instance.main.db_name == "tms_production" && aws_db_instance.main.username == "tms_admin"
    error_message = "The database must be as in the manual, on PostgreSQL 17."
  }
  assert {
    condition     = aws_db_instance.main.manage_master_user_password && aws_db_instance.main.password == null
    error_message = "RDS must manage the password of its master user."
  }
  assert {
    condition     = jsondecode(aws_secretsmanager_secret_version.database.secret_string) == { username = "tms_app", password = random_password.database.result } && strcontains(base64decode(aws_launch_template.app[0].user_data), "export TMS_DATABASE_SECRET='${aws_secretsmanager_secret.database.arn}'")
    error_message = "TMS must use its own database role, not the master user."
  }
  assert {
    condition     = aws_ssm_parameter.database_secret.name == "/tms/database/secret" && aws_ssm_parameter.database_secret.value == aws_db_instance.main.master_user_secret[0].secret_arn && strcontains(base64decode(aws_launch_template.app[0].user_data), "export TMS_MASTER_PARAMETER='/tms/database/secret'")
    error_message = "This parameter must name the secret of the database, because a restored instance has another one."
  }
  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.main["machine"].policy).Statement : statement.Resource if statement.Sid == "ReadTheSecretOfTheMaster"] == [[aws_db_instance.main.master_user_secret[0].secret_arn]]
    error_message = "Machines must be able to read the master secret, because they migrate and create the role of TMS."
  }
  assert {
    condition     = aws_ssm_parameter.static["url"].name == "/tms/static/url" && aws_ssm_parameter.static["url"].value == "https://static.${var.domain}/static/" && aws_ssm_parameter.static["bucket"].value == aws_s3_bucket.main["static"].bucket
    error_message = "The pipeline finds where files for browsers go."
  }
  assert {
    condition     = aws_ssm_parameter.good_releases.name == "/tms/releases/good" && aws_ssm_parameter.good_releases.value == "[]"
    error_message = "The pipeline must store the list of good releases in this parameter."
  }
  assert {
    condition     = alltrue([for rule in aws_backup_plan.main.rule : one(rule.copy_action).destination_vault_arn == var.backup_copy_vault]) && anytrue([for statement in jsondecode(aws_kms_key.main.policy).Statement : statement.Sid == "SnapshotsAreCopied" && statement.Principal.AWS == "arn:aws:iam::210987654321:root"])
    error_message = "Snapshots must be copied to another account when one is named."
  }
  assert {
    condition = { for statement in jsondecode(aws_kms_key.main.policy).Statement : statement.Sid => statement.Condition if contains(["SnapshotsAreCopied", "CopiesAreGranted"], statement.Sid) } == {
      SnapshotsAreCopied = { StringEquals = { "kms:ViaService" = ["backup.ap-northeast-1.amazonaws.com", "rds.ap-northeast-1.amazonaws.com"] } }
      CopiesAreGranted   = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
    }
    error_message = "The other account must be able to copy snapshots, and to decrypt nothing else."
  }
  assert {
    condition     = startswith(aws_db_instance.main.final_snapshot_identifier, "tms-database-final-") && aws_db_instance.main.final_snapshot_identifier != "tms-database-final-"
    error_message = "A second final snapshot must have another name."
  }
  assert {
    condition     = aws_db_instance.main.backup_retention_period == 7 && aws_db_instance.main.deletion_protection && !aws_db_instance.main.skip_final_snapshot
    error_message = "The database must be protected against deletion."
  }
  assert {
    condition     = aws_db_instance.main.max_allocated_storage > aws_db_instance.main.allocated_storage && aws_db_instance.main.performance_insights_enabled && aws_db_instance.main.monitoring_interval > 0
    error_message = "The database must have storage autoscaling and Database Insights."
  }
  assert {
    condition     = { for parameter in aws_db_parameter_group.main.parameter : parameter.name => parameter.value }["rds.force_ssl"] == "1"
    error_message = "The database must refuse connections without TLS."
  }

  assert {
    condition = { for rule in aws_backup_plan.main.rule : rule.rule_name => [rule.schedule, one(rule.lifecycle).delete_after] } == {
      daily   = ["cron(0 15 2-31 * ? *)", 35]
      monthly = ["cron(0 15 1 * ? *)", 90]
    }
    error_message = "One snapshot a day must be made outside of all windows, and monthly ones must not cost more than the database."
  }
  assert {
    condition     = aws_backup_restore_testing_selection.database.protected_resource_arns == toset([aws_db_instance.main.arn]) && aws_backup_restore_testing_selection.database.restore_metadata_overrides.dbSubnetGroupName == "tms-db-subnet-group" && one(aws_backup_restore_testing_plan.main.recovery_point_selection).include_vaults == toset([aws_backup_vault.main.arn])
    error_message = "A restore must be tested regularly, beside the database and in the private subnets."
  }
  assert {
    condition     = { for lock in aws_s3_bucket_object_lock_configuration.main : lock.bucket => one(flatten(lock.rule[*].default_retention[*].days)) } == { (aws_s3_bucket.main["backups"].id) = 30, (aws_s3_bucket.main["audit"].id) = null } && aws_s3_bucket.main["backups"].object_lock_enabled && aws_s3_bucket.main["audit"].object_lock_enabled
    error_message = "A machine must not be able to delete or replace a dump or an anchor."
  }
  assert {
    condition     = local.settings.TMS_AUDIT_BUCKET == "tms-123456789012-audit" && contains(flatten([for statement in jsondecode(aws_iam_role_policy.main["machine"].policy).Statement : statement.Action if statement.Sid == "AnchorTheAuditTrail"]), "s3:PutObjectRetention")
    error_message = "The anchors of the audit trail need a bucket, and the permission to lock them."
  }
  assert {
    condition     = local.settings.TMS_FILES_BUCKET == "tms-123456789012-files" && local.settings.TMS_ARTIFACTS_BUCKET == "tms-123456789012-artifacts" && toset(flatten([for statement in jsondecode(aws_iam_role_policy.main["machine"].policy).Statement : statement.Action if contains(["KeepFiles", "ListFiles"], statement.Sid)])) == toset(["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"])
    error_message = "Photos and files of terminals need a bucket that TMS reads, writes and deletes from."
  }
  assert {
    condition     = one(flatten([for rule in aws_s3_bucket_lifecycle_configuration.main["files"].rule : rule.expiration[*].days if rule.id == "terminal-files"])) == 31 && length(flatten([for rule in aws_s3_bucket_lifecycle_configuration.main["files"].rule : rule.expiration if rule.id == "tidy"])) == 0 && length(aws_s3_bucket_lifecycle_configuration.main["backups"].rule) == 1
    error_message = "Files of terminals must end after TMS_FILES_DAYS, and photos must stay."
  }
  assert {
    condition     = aws_budgets_budget.main.limit_amount == "1000" && { for notification in aws_budgets_budget.main.notification : notification.notification_type => notification.subscriber_email_addresses } == { ACTUAL = toset(["noc@techcore-solutions.jp"]), FORECASTED = toset(["noc@techcore-solutions.jp"]) }
    error_message = "A cost above the budget must be reported."
  }

  # Redis

  assert {
    condition     = aws_elasticache_replication_group.main.multi_az_enabled && aws_elasticache_replication_group.main.automatic_failover_enabled && aws_elasticache_replication_group.main.num_cache_clusters >= 2
    error_message = "Redis must survive the loss of a zone."
  }
  assert {
    condition     = aws_elasticache_replication_group.main.transit_encryption_mode == "required" && jsondecode(aws_secretsmanager_secret_version.redis.secret_string).auth_token == aws_elasticache_replication_group.main.auth_token
    error_message = "Redis must require TLS, and the token in the secret."
  }
  assert {
    condition     = startswith(jsondecode(aws_secretsmanager_secret_version.redis.secret_string).url, "rediss://:")
    error_message = "The URL must use TLS."
  }

  # Load balancer

  assert {
    condition     = aws_lb_listener.https.protocol == "HTTPS" && startswith(aws_lb_listener.https.ssl_policy, "ELBSecurityPolicy-TLS13-")
    error_message = "TLS 1.3 must be offered, and nothing older than 1.2."
  }
  assert {
    condition     = aws_lb.main.idle_timeout == 300 && aws_lb.main.idle_timeout > 2 * local.ping_interval_s
    error_message = "The idle timeout of the load balancer must exceed the ping interval of WebSockets."
  }
  assert {
    condition     = one(aws_lb_target_group.app.health_check).path == "/health/" && aws_lb_target_group.app.port == 8000 && one(aws_lb_target_group.app.health_check).matcher == "200"
    error_message = "The health check must use the application, on port 8000."
  }
  assert {
    condition     = local.machine_drain_s < tonumber(aws_lb_target_group.app.deregistration_delay) && tonumber(aws_lb_target_group.app.deregistration_delay) < aws_autoscaling_lifecycle_hook.main["tms-drain"].heartbeat_timeout
    error_message = "Nodes must drain before the load balancer cuts their links, and both must end before the hook gives up."
  }
  assert {
    condition     = one(one(aws_lb_listener.http.default_action).redirect).protocol == "HTTPS" && one(one(aws_lb_listener.http.default_action).redirect).status_code == "HTTP_301"
    error_message = "Requests of people without TLS must be redirected to HTTPS."
  }
  assert {
    condition     = contains(one(one(aws_lb_listener_rule.terminals_without_tls.condition).path_pattern).values, "/ws/terminal/*") && one(one(aws_lb_listener_rule.terminals_without_tls.action).fixed_response).status_code == "403" && aws_lb_listener_rule.terminals_without_tls.listener_arn == aws_lb_listener.http.arn
    error_message = "Terminals without TLS must be refused, not redirected."
  }
  assert {
    condition     = contains(one(one(aws_lb_listener_rule.metrics.condition).path_pattern).values, "/metrics") && one(one(aws_lb_listener_rule.metrics.action).fixed_response).status_code == "404" && aws_lb_listener_rule.metrics.priority == 1
    error_message = "Metrics must not be reachable from outside."
  }
  assert {
    condition     = one(aws_lb.main.access_logs).enabled && aws_lb.main.drop_invalid_header_fields && aws_lb.main.enable_deletion_protection
    error_message = "The load balancer must write logs, drop invalid headers, and be protected against deletion."
  }
  assert {
    condition     = aws_acm_certificate.main.validation_method == "DNS" && aws_lb_listener.https.certificate_arn == aws_acm_certificate_validation.main.certificate_arn
    error_message = "The certificate must be validated by DNS before it is used."
  }
  assert {
    condition     = aws_wafv2_web_acl_association.balancer.resource_arn == aws_lb.main.arn && aws_wafv2_web_acl_association.balancer.web_acl_arn == aws_wafv2_web_acl.main.arn
    error_message = "The WAF must be in front of the load balancer."
  }
  assert {
    condition = {
      for rule in aws_wafv2_web_acl.main.rule : rule.name => one(one(rule.statement).rate_based_statement).limit
      if length(one(rule.statement).rate_based_statement) == 1
    } == { RateLimitRule = 2000, TerminalRateLimitRule = 50000 }
    error_message = "People and terminals must have separate limits."
  }
  assert {
    condition = alltrue(flatten([
      for rule in aws_wafv2_web_acl.main.rule : [
        for limit in one(rule.statement).rate_based_statement : strcontains(jsonencode(limit.scope_down_statement), "\"not_statement\":[{\"statement\":[{") && strcontains(jsonencode(limit.scope_down_statement), aws_wafv2_ip_set.known.arn)
      ]
    ])) && aws_wafv2_ip_set.known.addresses == toset(["192.0.2.10/32"])
    error_message = "Known addresses must be limited neither as terminals nor as people."
  }
  assert {
    condition     = can(regex(local.device_paths, "/ws/terminal/")) && can(regex(local.device_paths, "/api/v1/enrol")) && !can(regex(local.device_paths, "/api/v1/enrolled")) && !can(regex(local.device_paths, "/x/ws/terminal/")) && can(regex(local.device_paths, "/ddi/default/controller/v1/sjk-1")) && !can(regex(local.device_paths, "/x/ddi/a")) && length(regexall("\\^\\(/ws/terminal/\\|/api/v1/enrol\\|/ddi/", jsonencode(aws_wafv2_web_acl.main.rule))) == 2
    error_message = "Enrolment of many devices behind one address must have the limit of terminals, in both rules."
  }
  assert {
    condition     = can(regex(local.upload_paths, "/upload/${join("", [for _ in range(43) : "x"])}")) && !can(regex(local.upload_paths, "/upload/x")) && [for rule in aws_wafv2_web_acl.main.rule : rule.priority if rule.name == "UploadsPass"] == [2] && local.managed_rules["AWSManagedRulesKnownBadInputsRuleSet"].priority > 2
    error_message = "The WAF must not look for attacks in logs that terminals upload."
  }
  assert {
    condition = one([
      for rule in aws_wafv2_web_acl.main.rule : [one(one(one(rule.action).block).custom_response).response_code, { for header in one(one(one(rule.action).block).custom_response).response_header : header.name => header.value }]
      if rule.name == "TerminalRateLimitRule"
    ]) == [503, { Retry-After = "30" }]
    error_message = "A terminal above the limit must get 503 with Retry-After, not 403."
  }
  assert {
    condition = alltrue(flatten([
      for rule in aws_wafv2_web_acl.main.rule : [
        for limit in one(rule.statement).rate_based_statement : limit.limit > var.terminals_per_address * limit.evaluation_window_sec / local.retry_after_s
      ] if rule.name == "TerminalRateLimitRule"
    ]))
    error_message = "Terminals that respect Retry-After must stay below the limit, or the block never ends."
  }
  assert {
    condition     = local.settings.TMS_CONNECTIONS_PER_ADDRESS == "50000"
    error_message = "TMS and the WAF must have the same limit per address."
  }

  # E-mail through SES

  assert {
    condition     = jsondecode(aws_secretsmanager_secret_version.mail[0].secret_string).url == "smtp://${urlencode(aws_iam_access_key.mail[0].id)}:${urlencode(aws_iam_access_key.mail[0].ses_smtp_password_v4)}@email-smtp.ap-northeast-1.amazonaws.com:587"
    error_message = "TMS must get the address of SES."
  }
  assert {
    condition     = aws_vpc_endpoint.mail[0].private_dns_enabled && aws_vpc_security_group_egress_rule.flow["mail"].from_port == 587 && aws_vpc_security_group_ingress_rule.flow["mail"].security_group_id == aws_security_group.tier["endpoint"].id && length(aws_vpc_security_group_egress_rule.mail) == 0
    error_message = "The port of mail must be open to the endpoint of SES, and to nothing else."
  }
  assert {
    condition     = aws_route53_record.dkim[*].name == ["one._domainkey.techcore-solutions.jp", "two._domainkey.techcore-solutions.jp", "three._domainkey.techcore-solutions.jp"]
    error_message = "E-mail must be signed for the domain of its sender."
  }
  assert {
    condition     = jsondecode(aws_iam_user_policy.mail[0].policy).Statement[0].Condition.StringEquals["ses:FromAddress"] == "tms@techcore-solutions.jp"
    error_message = "The user of SES may send from one address only."
  }
  assert {
    condition     = length(setsubtract(keys(local.managed_rules), [for rule in aws_wafv2_web_acl.main.rule : rule.name])) == 0 && contains(keys(local.managed_rules), "AWSManagedRulesKnownBadInputsRuleSet")
    error_message = "The managed rule sets of AWS must be active."
  }
  assert {
    condition     = contains(local.managed_rules.AWSManagedRulesCommonRuleSet.counted, "SizeRestrictions_QUERYSTRING")
    error_message = "A callback of an identity provider with a long code must not be blocked."
  }

  # Buckets

  assert {
    condition     = alltrue([for block in aws_s3_bucket_public_access_block.main : block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets]) && keys(aws_s3_bucket_public_access_block.main) == keys(aws_s3_bucket.main)
    error_message = "No bucket may be public."
  }
  assert {
    condition     = alltrue([for policy in concat(values(aws_s3_bucket_policy.main), [aws_s3_bucket_policy.static]) : jsondecode(policy.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false" && jsondecode(policy.policy).Statement[0].Effect == "Deny"]) && length(aws_s3_bucket_policy.main) + 1 == length(aws_s3_bucket.main)
    error_message = "Every bucket must refuse requests without TLS."
  }
  assert {
    condition     = length(flatten([for policy in concat(values(aws_s3_bucket_policy.main), [aws_s3_bucket_policy.static]) : [for statement in jsondecode(policy.policy).Statement : statement if statement.Effect == "Allow" && statement.Principal == "*"]])) == 0
    error_message = "No bucket may grant access to everybody."
  }
  assert {
    condition     = sort([for bucket in aws_s3_bucket.main : bucket.bucket]) == tolist(["tms-123456789012-artifacts", "tms-123456789012-audit", "tms-123456789012-backups", "tms-123456789012-files", "tms-123456789012-logs", "tms-123456789012-releases", "tms-123456789012-static"])
    error_message = "Scripts use these names of the buckets."
  }
  assert {
    condition     = one(one(aws_s3_bucket_lifecycle_configuration.main["backups"].rule).expiration).days == 30
    error_message = "Dumps must be kept for 30 days."
  }
  assert {
    condition     = one(aws_cloudfront_distribution.static[0].default_cache_behavior).viewer_protocol_policy == "https-only" && one(aws_cloudfront_distribution.static[0].viewer_certificate).minimum_protocol_version == "TLSv1.2_2021"
    error_message = "Static files must be served over TLS."
  }
  assert {
    condition     = one(one(one(aws_cloudfront_response_headers_policy.static[0].cors_config).access_control_allow_origins).items) == "https://tms.techcore-solutions.jp"
    error_message = "CORS must allow the pages of TMS, and no others, because browsers load modules from another host only then."
  }

  # Encryption everywhere

  assert {
    condition     = aws_db_instance.main.storage_encrypted && aws_db_instance.main.kms_key_id == aws_kms_key.main.arn && aws_db_instance.main.performance_insights_kms_key_id == aws_kms_key.main.arn && aws_db_instance.main.master_user_secret_kms_key_id == aws_kms_key.main.arn
    error_message = "The database, its insights and its secret must be encrypted."
  }
  assert {
    condition     = aws_elasticache_replication_group.main.at_rest_encryption_enabled && aws_elasticache_replication_group.main.transit_encryption_enabled
    error_message = "Redis must be encrypted, at rest and in transit."
  }
  assert {
    condition     = alltrue([for one in aws_s3_bucket_server_side_encryption_configuration.main : contains(["aws:kms", "AES256"], one(one(one.rule).apply_server_side_encryption_by_default).sse_algorithm)]) && keys(aws_s3_bucket_server_side_encryption_configuration.main) == keys(aws_s3_bucket.main)
    error_message = "Every bucket must be encrypted."
  }
  assert {
    condition     = alltrue([for name in ["backups", "releases"] : one(one(aws_s3_bucket_server_side_encryption_configuration.main[name].rule).apply_server_side_encryption_by_default).kms_master_key_id == aws_kms_key.main.arn])
    error_message = "Dumps and releases must be encrypted with our own key."
  }
  assert {
    condition     = alltrue([for group in concat(values(aws_cloudwatch_log_group.main), values(aws_cloudwatch_log_group.database), [aws_cloudwatch_log_group.waf]) : group.kms_key_id == aws_kms_key.main.arn && group.retention_in_days == 365])
    error_message = "Logs must be encrypted, and expire."
  }
  assert {
    condition     = alltrue([for secret in [aws_secretsmanager_secret.application, aws_secretsmanager_secret.database, aws_secretsmanager_secret.redis] : secret.kms_key_id == aws_kms_key.main.arn])
    error_message = "Secrets must be encrypted with our own key."
  }
  assert {
    condition     = alltrue([for topic in aws_sns_topic.alerts : topic.kms_master_key_id == aws_kms_key.main.arn]) && aws_backup_vault.main.kms_key_arn == aws_kms_key.main.arn && one(aws_ecr_repository.app.encryption_configuration).kms_key == aws_kms_key.main.arn
    error_message = "Alerts, snapshots and images must be encrypted."
  }
  assert {
    condition     = one(one(aws_launch_template.app[0].block_device_mappings).ebs).encrypted == "true"
    error_message = "Disks of machines must be encrypted."
  }
  assert {
    condition     = aws_kms_key.main.enable_key_rotation
    error_message = "The key must be rotated every year."
  }

  # Machines

  assert {
    condition     = aws_autoscaling_group.app[0].name == "tms-autoscaling-group" && aws_autoscaling_group.app[0].min_size == 2 && aws_autoscaling_group.app[0].max_size == 10
    error_message = "Two to ten machines, as in the manual."
  }
  assert {
    condition     = aws_autoscaling_group.app[0].health_check_type == "ELB" && aws_autoscaling_group.app[0].health_check_grace_period >= aws_autoscaling_lifecycle_hook.main["tms-launch"].heartbeat_timeout
    error_message = "The health check of the load balancer must decide whether a machine is healthy, after a grace period for its start."
  }
  assert {
    condition     = one(aws_autoscaling_group.app[0].instance_maintenance_policy).min_healthy_percentage == 100 && one(aws_autoscaling_group.app[0].instance_maintenance_policy).max_healthy_percentage == 150
    error_message = "A machine that fails its health check must stay until its replacement is healthy."
  }
  assert {
    condition = { for hook in aws_autoscaling_group.app[0].initial_lifecycle_hook : hook.name => [hook.lifecycle_transition, hook.heartbeat_timeout, hook.default_result] } == {
      for hook in aws_autoscaling_lifecycle_hook.main : hook.name => [hook.lifecycle_transition, hook.heartbeat_timeout, hook.default_result]
    } && length(aws_autoscaling_lifecycle_hook.main) == 2
    error_message = "The first machines must have the same hooks as the later ones."
  }
  assert {
    condition     = length(aws_autoscaling_group.app[0].instance_refresh) == 0
    error_message = "An apply must not replace machines: only the pipeline does."
  }
  assert {
    condition     = one(aws_launch_template.app[0].metadata_options).http_tokens == "required" && one(aws_launch_template.app[0].iam_instance_profile).arn == aws_iam_instance_profile.machine[0].arn
    error_message = "Machines must use IMDSv2 and have their own role."
  }
  assert {
    condition     = aws_launch_template.app[0].image_id == "resolve:ssm:/tms/machine-image" && aws_ssm_parameter.machine_image[0].name == "/tms/machine-image" && aws_ssm_parameter.machine_image[0].data_type == "aws:ec2:image" && strcontains(data.aws_ssm_parameter.newest_image[0].name, "al2023")
    error_message = "The image of machines must be pinned in a parameter, so that no apply changes it."
  }
  assert {
    condition     = aws_autoscaling_lifecycle_hook.main["tms-launch"].heartbeat_timeout == 600 && aws_autoscaling_lifecycle_hook.main["tms-launch"].default_result == "ABANDON" && aws_autoscaling_lifecycle_hook.main["tms-drain"].lifecycle_transition == "autoscaling:EC2_INSTANCE_TERMINATING"
    error_message = "A machine that is not ready after ten minutes must be replaced, and one that is terminated must drain first."
  }
  assert {
    condition     = startswith(base64decode(aws_launch_template.app[0].user_data), "#!/bin/bash\nexport ") && strcontains(base64decode(aws_launch_template.app[0].user_data), "\nexport TMS_ASG='tms-autoscaling-group'\n")
    error_message = "User data must contain the configuration of the machine."
  }
  assert {
    condition = alltrue([
      for line in ["TMS_READINGS_DAYS=\"30\"", "TMS_PUBLIC_URL=\"https://tms.techcore-solutions.jp\"", "TMS_CONNECTIONS_PER_ADDRESS=\"50000\"", "TMS_EMAIL_FROM=\"TMS <tms@techcore-solutions.jp>\""] :
      contains(split("\n", aws_ssm_parameter.settings[0].value), line) && !strcontains(base64decode(aws_launch_template.app[0].user_data), line)
      ]) && alltrue([
      for line in ["export TMS_MAIL_SECRET='tms/mail'", "export TMS_SETTINGS_PARAMETER='/tms/settings'", "export TMS_GOOD_PARAMETER='/tms/releases/good'", "export TMS_DUMPS='daily'"] :
      strcontains(base64decode(aws_launch_template.app[0].user_data), line)
    ])
    error_message = "Settings must reach machines through a parameter: in the user data each change would be another launch template."
  }
  assert {
    condition     = !strcontains(base64decode(aws_launch_template.app[0].user_data), random_password.redis.result) && !strcontains(base64decode(aws_launch_template.app[0].user_data), random_password.application.result) && !strcontains(base64decode(aws_launch_template.app[0].user_data), random_password.database.result)
    error_message = "User data must not contain secrets."
  }
  assert {
    condition     = contains([for metric in one(one(aws_autoscaling_policy.terminals[0].target_tracking_configuration).customized_metric_specification).metrics : metric.expression], "terminals / machines")
    error_message = "The number of machines must scale with that of terminals."
  }

  # Alarms

  assert {
    condition = sort([for alarm in aws_cloudwatch_metric_alarm.main : alarm.alarm_name]) == tolist([
      "tms-audit-chain-broken",
      "tms-backup-missing",
      "tms-break-glass-used",
      "tms-bridge-silent",
      "tms-certificate-expires",
      "tms-clock-lag",
      "tms-clock-loop-stalled",
      "tms-connections-full",
      "tms-detection-late",
      "tms-disk-full",
      "tms-false-offline",
      "tms-feed-failing",
      "tms-fewer-than-two",
      "tms-high-cpu-usage",
      "tms-high-db-cpu",
      "tms-high-memory-usage",
      "tms-logs-lost",
      "tms-low-db-memory",
      "tms-low-db-storage",
      "tms-mail-rejected",
      "tms-many-db-connections",
      "tms-nat-failing",
      "tms-no-healthy-host",
      "tms-nodes-lost",
      "tms-notifications-given-up",
      "tms-notifications-waiting",
      "tms-people-blocked",
      "tms-redis-cpu",
      "tms-redis-evictions",
      "tms-redis-memory",
      "tms-reports-waiting",
      "tms-server-errors",
      "tms-sign-in-flood",
      "tms-silent-terminals",
      "tms-slo-missed",
      "tms-slow-db-storage",
      "tms-slow-responses",
      "tms-snapshot-failed",
      "tms-snapshot-missing",
      "tms-terminals-blocked",
      "tms-too-few-running",
    ])
    error_message = "An alarm is missing, or has another name."
  }
  assert {
    condition     = alltrue([for name, alarm in aws_cloudwatch_metric_alarm.main : alarm.alarm_actions == toset([aws_sns_topic.alerts[try(local.alarms[name].severity, "warning")].arn]) && alarm.ok_actions == alarm.alarm_actions && alarm.actions_enabled])
    error_message = "Every alarm must notify a topic, when it fires and when it clears."
  }
  assert {
    condition     = alltrue([for name, alarm in aws_cloudwatch_metric_alarm.main : strcontains(alarm.alarm_description, "docs/runbook.md#${name}")])
    error_message = "Every alarm must link to its section of the runbook."
  }
  assert {
    condition = sort([for name, alarm in aws_cloudwatch_metric_alarm.main : name if alarm.alarm_actions == toset([aws_sns_topic.alerts["critical"].arn])]) == tolist([
      "audit-chain-broken",
      "break-glass-used",
      "bridge-silent",
      "clock-lag",
      "clock-loop-stalled",
      "fewer-than-two",
      "low-db-storage",
      "many-db-connections",
      "no-healthy-host",
      "notifications-waiting",
      "reports-waiting",
      "server-errors",
      "silent-terminals",
      "terminals-blocked",
    ]) && aws_sns_topic.alerts["critical"].arn != aws_sns_topic.alerts["warning"].arn
    error_message = "The list of critical alarms must match, so that an alarm does not become critical by accident."
  }
  assert {
    condition     = aws_cloudwatch_composite_alarm.down.alarm_rule == "ALARM(\"tms-no-healthy-host\") OR ALARM(\"tms-reports-waiting\") OR (ALARM(\"tms-server-errors\") AND ALARM(\"tms-bridge-silent\"))" && aws_cloudwatch_composite_alarm.down.alarm_actions == toset([aws_sns_topic.alerts["critical"].arn])
    error_message = "An outage of TMS must send one message, to the topic of critical alarms."
  }
  assert {
    condition     = alltrue([for name in regexall("tms-([a-z-]+)", aws_cloudwatch_composite_alarm.down.alarm_rule)[*][0] : contains(keys(aws_cloudwatch_metric_alarm.main), name)])
    error_message = "The composite alarm refers to an alarm that does not exist."
  }
  assert {
    condition = { for subscription in aws_sns_topic_subscription.main : "${subscription.protocol} ${subscription.endpoint}" => subscription.topic_arn... } == {
      "email noc@techcore-solutions.jp" = [aws_sns_topic.alerts["critical"].arn, aws_sns_topic.alerts["warning"].arn]
      "sms +819012345678"               = [aws_sns_topic.alerts["critical"].arn]
    }
    error_message = "E-mail addresses must receive both severities, and people on call only critical alarms."
  }
  assert {
    condition     = { for query in aws_cloudwatch_metric_alarm.main["reports-waiting"].metric_query : query.id => one(query.metric).stat if query.id != "all" } == { m0 = "Maximum", m1 = "SampleCount" }
    error_message = "Waiting reports must be compared with acknowledgements."
  }
  assert {
    condition     = [for query in aws_cloudwatch_metric_alarm.main["server-errors"].metric_query : one(query.metric).metric_name if query.id != "all"] == ["HTTPCode_Target_5XX_Count", "HTTPCode_ELB_502_Count", "HTTPCode_ELB_504_Count"]
    error_message = "The 503 with which the WAF answers terminals must neither page nor stop a rollout."
  }
  assert {
    condition     = one([for query in aws_cloudwatch_metric_alarm.main["silent-terminals"].metric_query : query.expression if query.id == "all"]) == "IF(FILL(m0,0) > 50 AND 100 * FILL(m0,0) > 5 * m1, 1, 0)" && aws_cloudwatch_metric_alarm.main["silent-terminals"].evaluation_periods == 3
    error_message = "Silent terminals must be compared with the fleet, and a drain of a machine must not page."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.main["fewer-than-two"].metric_name == "GroupInServiceInstances" && aws_cloudwatch_metric_alarm.main["fewer-than-two"].threshold == 2 && aws_cloudwatch_metric_alarm.main["fewer-than-two"].comparison_operator == "LessThanThreshold"
    error_message = "One machine left of two must page."
  }
  assert {
    condition     = toset(aws_cloudwatch_metric_alarm.main["snapshot-missing"].dimensions[*]) == toset([tomap({ BackupVaultName = "tms-vault" })]) && [for query in aws_cloudwatch_metric_alarm.main["snapshot-failed"].metric_query : one(query.metric).metric_name if query.id != "all"] == ["NumberOfBackupJobsFailed", "NumberOfBackupJobsExpired", "NumberOfCopyJobsFailed", "NumberOfRestoreJobsFailed"]
    error_message = "Missing and failed snapshots, copies and tests of restores must fire an alarm, on machines, too."
  }
  assert {
    condition     = contains(aws_db_event_subscription.main.event_categories, "failover") && aws_db_event_subscription.main.sns_topic == aws_sns_topic.alerts["warning"].arn
    error_message = "A failover of the database must be reported."
  }
  assert {
    condition = alltrue([
      for policy in aws_sns_topic_policy.alerts : [for statement in jsondecode(policy.policy).Statement : statement.Principal.Service if statement.Sid == "ServicesReport"] == [["events.rds.amazonaws.com", "ses.amazonaws.com"]]
    ]) && [for statement in jsondecode(aws_kms_key.main.policy).Statement : statement.Principal.Service if statement.Sid == "AlarmsAreSent"] == [["cloudwatch.amazonaws.com", "events.rds.amazonaws.com", "ses.amazonaws.com"]]
    error_message = "RDS and SES must be able to publish to the encrypted topics."
  }
  assert {
    condition     = aws_sesv2_email_identity.mail[0].configuration_set_name == "tms-mail" && toset(one(aws_sesv2_configuration_set_event_destination.mail[0].event_destination).matching_event_types) == toset(["BOUNCE", "COMPLAINT", "REJECT"])
    error_message = "Bounces and complaints must be reported."
  }
  assert {
    condition     = toset(jsondecode(aws_iam_user_policy.mail[0].policy).Statement[0].Resource) == toset([aws_sesv2_email_identity.mail[0].arn, aws_sesv2_configuration_set.mail[0].arn])
    error_message = "SES refuses a mail whose sender may not use the configuration set of the identity."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.main["terminals-blocked"].dimensions == tomap({ WebACL = "tms-web-acl", Region = "ap-northeast-1", Rule = "TerminalRateLimitRule" })
    error_message = "Blocked terminals must be counted by the rule of the WAF that blocks them."
  }
  assert {
    condition     = alltrue([for name in ["bridge-silent", "backup-missing", "snapshot-missing", "no-healthy-host"] : aws_cloudwatch_metric_alarm.main[name].treat_missing_data == "breaching"])
    error_message = "Alarms on missing metrics must treat missing data as breaching."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.main["high-cpu-usage"].threshold == 80 && aws_cloudwatch_metric_alarm.main["high-cpu-usage"].evaluation_periods == 2 && aws_cloudwatch_metric_alarm.main["high-cpu-usage"].period == 300 && aws_cloudwatch_metric_alarm.main["high-cpu-usage"].dimensions == tomap({ AutoScalingGroupName = "tms-autoscaling-group" })
    error_message = "The alarm on CPU must be as in the manual."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.main["low-db-storage"].threshold == 10737418240 && aws_cloudwatch_metric_alarm.main["low-db-storage"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.main["low-db-storage"].dimensions == tomap({ DBInstanceIdentifier = "tms-database" })
    error_message = "The alarm on storage must be as in the manual."
  }
  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.main.dashboard_body).widgets[0].properties.alarms) == length(aws_cloudwatch_metric_alarm.main) + 1
    error_message = "The dashboard must show all alarms."
  }

  # Commands on machines

  assert {
    condition = { for name, document in aws_ssm_document.step : document.name => slice(jsondecode(document.content).mainSteps[0].inputs.runCommand, 1, length(jsondecode(document.content).mainSteps[0].inputs.runCommand)) } == {
      tms-install  = ["nice -n 10 /opt/tms/current/deploy/machine/install-release {{ release }}"]
      tms-migrate  = ["nice -n 10 /opt/tms/current/deploy/machine/install-release {{ release }}", "nice -n 10 /opt/tms/releases/{{ release }}/deploy/machine/manage migrate_once"]
      tms-switch   = ["/opt/tms/releases/{{ release }}/deploy/machine/write-environment", "/opt/tms/releases/{{ release }}/deploy/machine/switch-release {{ release }}"]
      tms-rollback = ["/opt/tms/current/deploy/machine/rollback {{ release }}"]
    }
    error_message = "The pipeline uses these documents, and each runs only its step."
  }
  assert {
    condition = alltrue([
      for document in aws_ssm_document.step : alltrue([for bad in ["1.4.2; reboot", "$(id)", "-x", "1.4 2", "../x", "1.4.2\nid"] : !can(regex(jsondecode(document.content).parameters.release.allowedPattern, bad))]) && can(regex(jsondecode(document.content).parameters.release.allowedPattern, "0.2.0-1306-g28ef9a88"))
    ]) && [for name, document in aws_ssm_document.step : name if can(regex(jsondecode(document.content).parameters.release.allowedPattern, ""))] == ["rollback"]
    error_message = "A document must accept a version and nothing else: it is on a command line of root."
  }
  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.deploy.policy).Statement : statement.Resource == [for document in aws_ssm_document.step : document.arn] || one(keys(statement.Condition.StringEquals)) == "aws:ResourceTag/Name"
      if contains(statement.Action, "ssm:SendCommand")
    ])
    error_message = "The pipeline may run these documents on machines of TMS, and no shell."
  }

  # People

  assert {
    condition = { for name, document in aws_ssm_document.session : document.name => [jsondecode(document.content).sessionType, jsondecode(document.content).inputs.cloudWatchLogGroupName, jsondecode(document.content).inputs.cloudWatchEncryptionEnabled, jsondecode(document.content).inputs.cloudWatchStreamingEnabled, jsondecode(document.content).inputs.kmsKeyId] } == {
      tms-shell   = ["Standard_Stream", "tms-sessions", true, true, aws_kms_key.main.arn]
      tms-command = ["InteractiveCommands", "tms-sessions", true, true, aws_kms_key.main.arn]
    }
    error_message = "Every session of a person must be recorded, and encrypted."
  }
  assert {
    condition     = { for name, role in aws_iam_role.person : role.name => [role.max_session_duration, jsondecode(role.assume_role_policy).Statement[0].Condition] } == { tms-on-call = [43200, { StringLike = { "sts:RoleSessionName" = "?*@?*" } }], tms-admin = [3600, { StringLike = { "sts:RoleSessionName" = "?*@?*" } }] }
    error_message = "People must have two roles, and name themselves when they assume one."
  }
  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.on_call.policy).Statement : statement.Condition if contains(statement.Action, "ssm:StartSession")] == [{ StringEquals = { "aws:ResourceTag/Name" = "tms-app-instance" } }, { BoolIfExists = { "ssm:SessionDocumentAccessCheck" = "true" } }]
    error_message = "People on call may open sessions on machines of TMS only, and only recorded ones."
  }
  assert {
    condition     = length(setintersection(flatten(jsondecode(aws_iam_role_policy.on_call.policy).Statement[*].Action), ["secretsmanager:GetSecretValue", "iam:PassRole", "rds:DeleteDBInstance", "s3:DeleteObject"])) == 0 && alltrue([for statement in jsondecode(aws_iam_role_policy.on_call.policy).Statement : !anytrue([for action in statement.Action : strcontains(action, "*")])])
    error_message = "People on call need neither secrets nor more permissions."
  }

  # Permissions

  assert {
    condition = alltrue(flatten([
      for policy in concat(values(aws_iam_role_policy.main)[*].policy, [aws_iam_role_policy.deploy.policy]) : [
        for statement in jsondecode(policy).Statement : length(setsubtract(statement.Action, [
          "application-autoscaling:DescribeScalingPolicies",
          "autoscaling:DescribeAutoScalingGroups",
          "autoscaling:DescribeInstanceRefreshes",
          "autoscaling:DescribePolicies",
          "cloudwatch:DescribeAlarms",
          "cloudwatch:GetMetricStatistics",
          "cloudwatch:PutMetricData",
          "ec2:DescribeImages",
          "ec2:DescribeSecurityGroups",
          "ec2:DescribeSubnets",
          "ec2:DescribeTags",
          "ec2:DescribeVpcs",
          "ec2messages:AcknowledgeMessage",
          "ec2messages:DeleteMessage",
          "ec2messages:FailMessage",
          "ec2messages:GetEndpoint",
          "ec2messages:GetMessages",
          "ec2messages:SendReply",
          "ecr:GetAuthorizationToken",
          "elasticloadbalancing:DescribeLoadBalancers",
          "elasticloadbalancing:DescribeTargetGroups",
          "elasticloadbalancing:DescribeTargetHealth",
          "logs:DescribeLogGroups",
          "ssm:GetCommandInvocation",
          "ssm:ListCommandInvocations",
          "ssm:ListInstanceAssociations",
          "ssm:UpdateInstanceInformation",
          "ssmmessages:CreateControlChannel",
          "ssmmessages:CreateDataChannel",
          "ssmmessages:OpenControlChannel",
          "ssmmessages:OpenDataChannel",
        ])) == 0
        if contains(statement.Resource, "*")
      ]
    ]))
    error_message = "A statement allows an action on all resources that could be limited to one resource."
  }
  assert {
    condition     = alltrue(flatten([for policy in concat(values(aws_iam_role_policy.main)[*].policy, [aws_iam_role_policy.deploy.policy]) : [for statement in jsondecode(policy).Statement : [for action in statement.Action : !strcontains(action, "*")]]]))
    error_message = "An action is named with a wildcard."
  }
  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.main["machine"].policy).Statement : statement.Condition if statement.Sid == "SendMetrics"] == [{ StringEquals = { "cloudwatch:namespace" = ["TMS", "CWAgent"] } }]
    error_message = "Machines may send metrics of their own namespaces only."
  }
  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.main["machine"].policy).Statement : statement.Sid => [statement.Action, statement.Resource] if contains(["SendNotifications", "EncryptNotifications"], statement.Sid) } == {
      SendNotifications    = [["sns:Publish"], ["arn:aws:sns:ap-northeast-1:123456789012:on-call"]]
      EncryptNotifications = [["kms:Decrypt", "kms:GenerateDataKey"], ["arn:aws:kms:ap-northeast-1:123456789012:key/87654321-4321-4321-4321-210987654321"]]
    }
    error_message = "Machines must be able to publish to the topics of notifications, and to no other."
  }
  assert {
    condition     = jsondecode(aws_iam_role.deploy.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == "repo:techcore/tms:environment:production"
    error_message = "Only this repository's environment may deploy."
  }
  assert {
    condition     = aws_iam_role.deploy.max_session_duration == 7200
    error_message = "The credentials of a deployment must outlast build, refresh and rollback."
  }
  assert {
    condition     = keys(aws_iam_role.main) == ["backup", "machine", "monitoring", "network"]
    error_message = "Machines need no roles of containers."
  }
  assert {
    condition     = aws_ecr_repository.app.image_tag_mutability == "IMMUTABLE" && one(aws_ecr_repository.app.image_scanning_configuration).scan_on_push
    error_message = "An image must stay what it was, and be looked at."
  }
}
