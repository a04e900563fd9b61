# Roles of people, whom the account's own users or its Identity Center let assume them (docs/deploying.md, People).
# `on-call`: look at everything but data and secrets, open sessions on machines, roll back. `admin`: apply Terraform.

locals {
  sessions_group = aws_cloudwatch_log_group.main["sessions"].name

  # Recorded in CloudWatch while they run, and encrypted on the way to the machine.
  session_inputs = {
    cloudWatchLogGroupName      = local.sessions_group
    cloudWatchEncryptionEnabled = true
    cloudWatchStreamingEnabled  = true
    s3BucketName                = ""
    s3KeyPrefix                 = ""
    s3EncryptionEnabled         = true
    kmsKeyId                    = aws_kms_key.main.arn
    idleSessionTimeout          = "20"
    maxSessionDuration          = "240"
    runAsEnabled                = false
    runAsDefaultUser            = ""
  }

  # deploy/shell.sh uses both: a root shell, and one command.
  sessions = {
    shell = {
      schemaVersion = "1.0"
      description   = "A root shell"
      sessionType   = "Standard_Stream"
      inputs        = merge(local.session_inputs, { shellProfile = { linux = "exec sudo -i", windows = "" } })
    }
    command = {
      schemaVersion = "1.0"
      description   = "One command, as it would be typed"
      sessionType   = "InteractiveCommands"
      inputs        = local.session_inputs
      parameters    = { command = { type = "String", description = "The command, with its quotes" } }
      properties    = { linux = { commands = "{{ command }}", runAsElevated = true } }
    }
  }

  on_call_statements = concat(
    [
      {
        Sid      = "LookAtBackupsAndMail"
        Effect   = "Allow"
        Action   = ["backup:ListBackupJobs", "backup:ListCopyJobs", "backup:ListRestoreJobs", "backup:ListRecoveryPointsByBackupVault", "ses:GetAccount", "ses:ListSuppressedDestinations"]
        Resource = ["*"]
      },
      {
        Sid      = "SendATestPage"
        Effect   = "Allow"
        Action   = ["sns:ListSubscriptionsByTopic", "sns:Publish"]
        Resource = [for topic in aws_sns_topic.alerts : topic.arn]
      },
      {
        # The Session Manager plugin itself asks for it.
        Sid      = "EncryptSessions"
        Effect   = "Allow"
        Action   = ["kms:GenerateDataKey"]
        Resource = [aws_kms_key.main.arn]
      },
      {
        # Not for secrets, dumps or snapshots.
        Sid       = "UseTheKeyForPagesAndReleases"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = [aws_kms_key.main.arn]
        Condition = { StringEquals = { "kms:ViaService" = ["s3.${var.region}.amazonaws.com", "sns.${var.region}.amazonaws.com"] } }
      },
      {
        Sid      = "RollBack"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter", "ssm:PutParameter"]
        Resource = [aws_ssm_parameter.release.arn, local.arns.releases]
      },
      {
        Sid      = "LookAtReleases"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["${aws_s3_bucket.main["releases"].arn}/*.sha256"]
      },
      {
        Sid      = "ExemptAShop"
        Effect   = "Allow"
        Action   = ["wafv2:GetIPSet", "wafv2:UpdateIPSet"]
        Resource = [aws_wafv2_ip_set.known.arn]
      },
      {
        Sid      = "EndOwnSessions"
        Effect   = "Allow"
        Action   = ["ssm:ResumeSession", "ssm:TerminateSession"]
        Resource = ["arn:aws:ssm:*:*:session/$${aws:userid}-*"]
      },
    ],
    [
      for statement in [
        {
          Sid       = "OpenSessionsOnMachines"
          Effect    = "Allow"
          Action    = ["ssm:SendCommand", "ssm:StartSession"]
          Resource  = ["arn:aws:ec2:${var.region}:${local.account}:instance/*"]
          Condition = { StringEquals = { "aws:ResourceTag/Name" = "${var.name}-app-instance" } }
        },
        {
          Sid       = "OpenRecordedSessions"
          Effect    = "Allow"
          Action    = ["ssm:StartSession"]
          Resource  = [for document in aws_ssm_document.session : document.arn]
          Condition = { BoolIfExists = { "ssm:SessionDocumentAccessCheck" = "true" } }
        },
        {
          Sid       = "RunTheStepsOfARollback"
          Effect    = "Allow"
          Action    = ["ssm:SendCommand"]
          Resource  = [for name, document in aws_ssm_document.step : document.arn if name != "migrate"]
          Condition = {}
        },
        {
          Sid       = "ReplaceMachines"
          Effect    = "Allow"
          Action    = ["autoscaling:CancelInstanceRefresh", "autoscaling:SetDesiredCapacity", "autoscaling:StartInstanceRefresh", "autoscaling:TerminateInstanceInAutoScalingGroup"]
          Resource  = [local.arns.group]
          Condition = {}
        },
        {
          Sid       = "ReadResultsOfCommands"
          Effect    = "Allow"
          Action    = ["ssm:GetCommandInvocation", "ssm:ListCommandInvocations"]
          Resource  = ["*"]
          Condition = {}
        },
      ] : statement if local.on_ec2
    ],
    [for statement in local.deploy_to_tasks : statement if local.on_ecs],
  )

  # AWS maintains these. ViewOnlyAccess shows what exists, never the content of a bucket, a secret or a parameter.
  on_call_policies = ["job-function/ViewOnlyAccess", "CloudWatchReadOnlyAccess"]
}

resource "aws_ssm_document" "session" {
  for_each = { for name, session in local.sessions : name => session if local.on_ec2 }

  name            = "${var.name}-${each.key}"
  document_type   = "Session"
  document_format = "JSON"
  content         = jsonencode(each.value)
}

resource "aws_iam_role" "person" {
  #checkov:skip=CKV_AWS_61:The account decides who may assume a role of people; docs/deploying.md, People, has the policy
  for_each = { on-call = 43200, admin = 3600 }

  name                 = "${var.name}-${each.key}"
  description          = each.key == "admin" ? "Applies Terraform" : "Looks at TMS, opens recorded sessions, and rolls back"
  max_session_duration = each.value
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${local.account}:root" }
      Action    = "sts:AssumeRole"
      # The address of the person is in CloudTrail, and in the name of each session's log.
      Condition = { StringLike = { "sts:RoleSessionName" = "?*@?*" } }
    }]
  })
}

resource "aws_iam_role_policy" "on_call" {
  name   = "least"
  role   = aws_iam_role.person["on-call"].id
  policy = jsonencode({ Version = "2012-10-17", Statement = [for statement in local.on_call_statements : { for key, value in statement : key => value if key != "Condition" || length(value) > 0 }] })
}

resource "aws_iam_role_policy_attachment" "on_call" {
  for_each = toset(local.on_call_policies)

  role       = aws_iam_role.person["on-call"].name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

resource "aws_iam_role_policy_attachment" "admin" {
  #checkov:skip=CKV_AWS_274:Terraform creates roles, keys and networks: whoever applies it can grant anything
  role       = aws_iam_role.person["admin"].name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}
