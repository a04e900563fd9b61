# The pipeline deploys without a key: GitHub authenticates jobs of this repository in this environment, and no others.
# Which branches may deploy there is a rule of the environment in GitHub: main only (docs/deploying.md).

locals {
  deploy_statements = [
    {
      Sid      = "SignInToTheRegistry"
      Effect   = "Allow"
      Action   = ["ecr:GetAuthorizationToken"]
      Resource = ["*"]
    },
    {
      Sid    = "PushTheImage"
      Effect = "Allow"
      Action = [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:GetDownloadUrlForLayer",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
      ]
      Resource = [aws_ecr_repository.app.arn]
    },
    {
      Sid      = "PutReleasesAndFilesForBrowsers"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject"]
      Resource = ["${aws_s3_bucket.main["releases"].arn}/*", "${aws_s3_bucket.main["static"].arn}/*"]
    },
    {
      Sid      = "SeeWhatIsThere"
      Effect   = "Allow"
      Action   = ["s3:ListBucket"]
      Resource = [aws_s3_bucket.main["releases"].arn, aws_s3_bucket.main["static"].arn]
    },
    {
      Sid      = "UseTheKey"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = [aws_kms_key.main.arn]
    },
    {
      Sid      = "KnowWhereFilesForBrowsersGo"
      Effect   = "Allow"
      Action   = ["ssm:GetParameter"]
      Resource = [for parameter in aws_ssm_parameter.static : parameter.arn]
    },
    {
      Sid      = "SayWhichRelease"
      Effect   = "Allow"
      Action   = ["ssm:GetParameter", "ssm:GetParameterHistory", "ssm:PutParameter"]
      Resource = [aws_ssm_parameter.release.arn]
    },
    {
      Sid      = "RememberGoodReleases"
      Effect   = "Allow"
      Action   = ["ssm:GetParameter", "ssm:PutParameter"]
      Resource = [local.arns.releases]
    },
    {
      Sid      = "TickTheChecklist"
      Effect   = "Allow"
      Action   = local.deploy_looks
      Resource = ["*"]
    },
    {
      Sid      = "LookAtTheDatabase"
      Effect   = "Allow"
      Action   = ["rds:DescribeDBInstances"]
      Resource = [aws_db_instance.main.arn]
    },
    {
      Sid      = "LookAtLogs"
      Effect   = "Allow"
      Action   = ["logs:FilterLogEvents"]
      Resource = ["${aws_cloudwatch_log_group.main["application"].arn}:*"]
    },
    {
      Sid      = "LookAtRecipients"
      Effect   = "Allow"
      Action   = ["sns:ListSubscriptionsByTopic"]
      Resource = [for topic in aws_sns_topic.alerts : topic.arn]
    },
    {
      Sid      = "LookAtTheWaf"
      Effect   = "Allow"
      Action   = ["wafv2:GetWebACL", "wafv2:GetWebACLForResource"]
      Resource = [aws_wafv2_web_acl.main.arn, aws_lb.main.arn]
    },
  ]
  # Most read actions do not support resources in IAM.
  deploy_looks = concat(
    [
      "application-autoscaling:DescribeScalingPolicies",
      "autoscaling:DescribeAutoScalingGroups",
      "autoscaling:DescribePolicies",
      "cloudwatch:DescribeAlarms",
      "cloudwatch:GetMetricStatistics",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSubnets",
      "ec2:DescribeVpcs",
      "elasticloadbalancing:DescribeLoadBalancers",
      "elasticloadbalancing:DescribeTargetGroups",
      "elasticloadbalancing:DescribeTargetHealth",
    ],
    [for action in ["autoscaling:DescribeInstanceRefreshes", "ssm:GetCommandInvocation", "ssm:ListCommandInvocations"] : action if local.on_ec2],
    [for action in ["ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions", "ecs:RegisterTaskDefinition"] : action if local.on_ecs],
  )

  deploy_to_machines = [
    {
      Sid      = "ReplaceMachines"
      Effect   = "Allow"
      Action   = ["autoscaling:CancelInstanceRefresh", "autoscaling:StartInstanceRefresh"]
      Resource = [local.arns.group]
    },
    {
      Sid      = "RunTheStepsOfADeployment"
      Effect   = "Allow"
      Action   = ["ssm:SendCommand"]
      Resource = [for document in aws_ssm_document.step : document.arn]
    },
    {
      Sid       = "OnMachinesOnly"
      Effect    = "Allow"
      Action    = ["ssm:SendCommand"]
      Resource  = ["arn:aws:ec2:${var.region}:${local.account}:instance/*"]
      Condition = { StringEquals = { "aws:ResourceTag/Name" = "${var.name}-app-instance" } }
    },
    {
      Sid      = "PinTheImageOfMachines"
      Effect   = "Allow"
      Action   = ["ssm:GetParameter", "ssm:GetParameters", "ssm:PutParameter"]
      Resource = aws_ssm_parameter.machine_image[*].arn
    },
    {
      Sid      = "SeeTheNewestImage"
      Effect   = "Allow"
      Action   = ["ssm:GetParameter", "ssm:GetParameters"]
      Resource = ["arn:aws:ssm:${var.region}::parameter${local.newest_image}"]
    },
    {
      Sid      = "CheckTheImage" # Parameter Store checks that a value of the type aws:ec2:image exists
      Effect   = "Allow"
      Action   = ["ec2:DescribeImages"]
      Resource = ["*"]
    },
  ]

  deploy_to_tasks = [
    {
      Sid      = "MoveServices"
      Effect   = "Allow"
      Action   = ["ecs:DescribeServices", "ecs:UpdateService"]
      Resource = local.arns.services
    },
    {
      Sid       = "RunTasksOnce"
      Effect    = "Allow"
      Action    = ["ecs:RunTask"]
      Resource  = local.arns.families
      Condition = { ArnEquals = { "ecs:cluster" = local.arns.cluster } }
    },
    {
      Sid      = "WatchTasks"
      Effect   = "Allow"
      Action   = ["ecs:DescribeTasks"]
      Resource = [local.arns.tasks]
    },
    {
      Sid       = "HandOverRoles"
      Effect    = "Allow"
      Action    = ["iam:PassRole"]
      Resource  = [for role, _ in local.trusts : aws_iam_role.main[role].arn if contains(["execution", "migrate", "task"], role)]
      Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
    },
  ]
}

# An account may have only one of these; bootstrap/ creates it, and every environment uses it.
data "aws_iam_openid_connect_provider" "github" {
  url = "https://token.actions.githubusercontent.com"
}

resource "aws_iam_role" "deploy" {
  name                 = "${var.name}-deploy"
  description          = "Jobs of ${var.repository} in the environment ${var.environment}"
  max_session_duration = 7200 # build, refresh and rollback together take more than an hour
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = data.aws_iam_openid_connect_provider.github.arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub" = "repo:${var.repository}:environment:${var.environment}"
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "deploy" {
  name = "least"
  role = aws_iam_role.deploy.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      local.deploy_statements,
      [for statement in local.deploy_to_machines : statement if local.on_ec2],
      [for statement in local.deploy_to_tasks : statement if local.on_ecs],
    )
  })
}
