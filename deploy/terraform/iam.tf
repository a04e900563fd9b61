# Permissions. Each statement names its resources; `*` is used only if AWS supports no resource for an action
# (tests/machines.tftest.hcl has the list of those).

locals {
  arns = {
    group    = "arn:aws:autoscaling:${var.region}:${local.account}:autoScalingGroup:*:autoScalingGroupName/${local.group_name}"
    releases = "arn:aws:ssm:${var.region}:${local.account}:parameter/${var.name}/releases/*"
    cluster  = "arn:aws:ecs:${var.region}:${local.account}:cluster/${var.name}-cluster"
    services = [for role in ["serve", "clock"] : "arn:aws:ecs:${var.region}:${local.account}:service/${var.name}-cluster/${var.name}-${role}"]
    tasks    = "arn:aws:ecs:${var.region}:${local.account}:task/${var.name}-cluster/*"
    families = [for role, _ in local.roles : "arn:aws:ecs:${var.region}:${local.account}:task-definition/${var.name}-${role}:*"]
  }

  # The service that assumes each role, and whether it passes the account.
  trusts = merge(
    {
      monitoring = { service = "monitoring.rds.amazonaws.com", confused = true }
      network    = { service = "vpc-flow-logs.amazonaws.com", confused = true }
      backup     = { service = "backup.amazonaws.com", confused = false }
    },
    { for role in ["machine"] : role => { service = "ec2.amazonaws.com", confused = false } if local.on_ec2 },
    { for role in ["task", "migrate", "execution"] : role => { service = "ecs-tasks.amazonaws.com", confused = true } if local.on_ecs },
  )

  # AWS maintains these, and updates them with its services.
  managed = {
    monitoring     = { role = "monitoring", policy = "service-role/AmazonRDSEnhancedMonitoringRole" }
    backup         = { role = "backup", policy = "service-role/AWSBackupServiceRolePolicyForBackup" }
    backup_restore = { role = "backup", policy = "service-role/AWSBackupServiceRolePolicyForRestores" }
  }

  # Buckets of which TMS reads, writes and deletes objects. An address that it signs for a terminal allows what it may itself.
  stores = ["artifacts", "files"]

  # Permissions of the application itself, on machines and in tasks.
  application_statements = concat(local.publish_statements, [
    {
      Sid      = "ReadItsSecrets"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = local.secret_arns
    },
    {
      Sid      = "UseTheKey"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = [aws_kms_key.main.arn]
    },
    {
      Sid      = "AnchorTheAuditTrail"
      Effect   = "Allow"
      Action   = ["s3:PutObject", "s3:PutObjectRetention"]
      Resource = ["${aws_s3_bucket.main["audit"].arn}/*"]
    },
    {
      Sid      = "KeepFiles"
      Effect   = "Allow"
      Action   = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = [for name in local.stores : "${aws_s3_bucket.main[name].arn}/*"]
    },
    {
      # Also the answer that an object does not exist: 403 without it.
      Sid      = "ListFiles"
      Effect   = "Allow"
      Action   = ["s3:ListBucket"]
      Resource = [for name in local.stores : aws_s3_bucket.main[name].arn]
    },
    {
      Sid       = "SendMetrics"
      Effect    = "Allow"
      Action    = ["cloudwatch:PutMetricData"]
      Resource  = ["*"]
      Condition = { StringEquals = { "cloudwatch:namespace" = [local.metrics_namespace, local.agent_namespace] } }
    },
    {
      Sid      = "WriteItsLogs"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Resource = [for group in ["application", "nginx", "machine"] : "${aws_cloudwatch_log_group.main[group].arn}:*"]
    },
  ])

  # Migrations create the role of the application.
  migrate_statements = [{
    Sid      = "ReadTheSecretOfTheMaster"
    Effect   = "Allow"
    Action   = ["secretsmanager:GetSecretValue"]
    Resource = [local.master_secret_arn]
  }]

  # Topics that are used as destinations of notifications.
  publish_statements = concat(
    [for topics in [var.notify_topics[*].arn] : {
      Sid      = "SendNotifications"
      Effect   = "Allow"
      Action   = ["sns:Publish"]
      Resource = topics
    } if length(topics) > 0],
    [for keys in [compact(var.notify_topics[*].key)] : {
      Sid      = "EncryptNotifications"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = keys
    } if length(keys) > 0],
  )

  machine_statements = concat([for statement in local.migrate_statements : statement if var.database.master_on_machines], [
    {
      # A dump that fails leaves no parts. Reading is needed to verify and to restore; the lock of the bucket prevents deletion.
      Sid      = "KeepBackups"
      Effect   = "Allow"
      Action   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
      Resource = ["${aws_s3_bucket.main["backups"].arn}/database/*"]
    },
    {
      Sid      = "ListBackups"
      Effect   = "Allow"
      Action   = ["s3:ListBucket"]
      Resource = [aws_s3_bucket.main["backups"].arn]
    },
    {
      Sid      = "FetchReleases"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = ["${aws_s3_bucket.main["releases"].arn}/*"]
    },
    {
      Sid      = "KnowReleasesAndSettings"
      Effect   = "Allow"
      Action   = ["ssm:GetParameter"]
      Resource = concat([aws_ssm_parameter.release.arn, local.arns.releases, aws_ssm_parameter.database_secret.arn], aws_ssm_parameter.settings[*].arn)
    },
    {
      Sid      = "LetTheGroupGoOn"
      Effect   = "Allow"
      Action   = ["autoscaling:CompleteLifecycleAction", "autoscaling:RecordLifecycleActionHeartbeat"]
      Resource = [local.arns.group]
    },
    {
      Sid    = "BeReachedBySessionManager"
      Effect = "Allow"
      Action = [
        "ec2messages:AcknowledgeMessage",
        "ec2messages:DeleteMessage",
        "ec2messages:FailMessage",
        "ec2messages:GetEndpoint",
        "ec2messages:GetMessages",
        "ec2messages:SendReply",
        "ssm:ListInstanceAssociations",
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
      ]
      Resource = ["*"]
    },
    {
      Sid      = "RecordSessions"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Resource = ["${aws_cloudwatch_log_group.main["sessions"].arn}:*"]
    },
    {
      Sid      = "CheckThatSessionsAreEncrypted"
      Effect   = "Allow"
      Action   = ["logs:DescribeLogGroups"]
      Resource = ["*"]
    },
    {
      Sid      = "NameItsGroupInMetrics"
      Effect   = "Allow"
      Action   = ["ec2:DescribeTags"]
      Resource = ["*"]
    },
  ])

  permissions = {
    machine = concat(local.application_statements, local.machine_statements)
    task    = local.application_statements
    migrate = concat(local.application_statements, local.migrate_statements)
    execution = [
      {
        Sid      = "SignIn"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = ["*"]
      },
      {
        Sid      = "FetchTheImage"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = [aws_ecr_repository.app.arn]
      },
      {
        Sid      = "WriteOutput"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.main["ecs"].arn}:*"]
      },
      {
        Sid      = "HandOverSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = concat([aws_secretsmanager_secret.application.arn, aws_secretsmanager_secret.redis.arn], aws_secretsmanager_secret.mail[*].arn)
      },
      {
        Sid      = "NameTheSecretOfTheMaster"
        Effect   = "Allow"
        Action   = ["ssm:GetParameters"]
        Resource = [aws_ssm_parameter.database_secret.arn]
      },
      {
        Sid      = "UseTheKey"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = [aws_kms_key.main.arn]
      },
    ]
    network = [
      {
        Sid      = "WriteFlows"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.main["network"].arn}:*"]
      },
      {
        Sid      = "FindTheGroup"
        Effect   = "Allow"
        Action   = ["logs:DescribeLogGroups"]
        Resource = ["*"]
      },
    ]
  }
}

resource "aws_iam_role" "main" {
  for_each = local.trusts

  name = "${var.name}-${each.key}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [merge(
      {
        Effect    = "Allow"
        Principal = { Service = each.value.service }
        Action    = "sts:AssumeRole"
      },
      { for key in ["Condition"] : key => { StringEquals = { "aws:SourceAccount" = local.account } } if each.value.confused },
    )]
  })
}

resource "aws_iam_role_policy" "main" {
  for_each = { for role, statements in local.permissions : role => statements if contains(keys(local.trusts), role) }

  name   = "least"
  role   = aws_iam_role.main[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = each.value })
}

resource "aws_iam_role_policy_attachment" "managed" {
  for_each = local.managed

  role       = aws_iam_role.main[each.value.role].name
  policy_arn = "arn:aws:iam::aws:policy/${each.value.policy}"
}
