# E-mail sent by TMS. Without `mail` it sends none.

locals {
  mail_address = try(one(regex("([^<\\s]+@[^>\\s]+)", var.mail.from)), "")
  mail_domain  = try(split("@", local.mail_address)[1], "")
  on_ses       = try(var.mail.ses, false) ? 1 : 0
  on_smtp      = var.mail != null && local.on_ses == 0 ? 1 : 0

  mail_password = try(one(data.aws_secretsmanager_secret_version.mail_password).secret_string, null)
  mail_server = local.on_ses == 1 ? {
    host = "email-smtp.${var.region}.amazonaws.com", port = 587
    user = aws_iam_access_key.mail[0].id, password = aws_iam_access_key.mail[0].ses_smtp_password_v4
    } : {
    host = try(var.mail.host, ""), port = try(var.mail.port, 587)
    user = try(var.mail.user, null), password = local.mail_password
  }
  # These ports use TLS from the start; the others use STARTTLS.
  mail_scheme = contains([465, 2465], local.mail_server.port) ? "smtps" : "smtp"
  mail_login = local.mail_server.user == null ? "" : join("", [
    replace(urlencode(local.mail_server.user), "+", "%20"), ":", replace(urlencode(local.mail_server.password), "+", "%20"), "@",
  ])
}

# For tasks; machines read the secret themselves.
locals {
  mail_secrets = { for secret in aws_secretsmanager_secret.mail : "TMS_EMAIL_URL" => "${secret.arn}:url::" }
}

variable "mail" {
  description = <<-EOT
    How TMS sends e-mail. Either `ses = true`: Amazon SES in this account, for an address in the hosted zone. Or `host`: a mail
    server with TLS, and if it requires them `user` and `password_secret`, the name or ARN of a secret that contains only the password.
  EOT
  type = object({
    from            = string
    ses             = optional(bool, false)
    host            = optional(string)
    port            = optional(number, 587)
    user            = optional(string)
    password_secret = optional(string)
  })
  default = null

  validation {
    condition     = var.mail == null ? true : can(regex("^[^\"'$`\\\\@]+@[^\"'$`\\\\@]+$", var.mail.from))
    error_message = "mail.from is an address such as tms@example.com, or TMS <tms@example.com>."
  }
  validation {
    condition     = var.mail == null ? true : var.mail.ses != (var.mail.host != null)
    error_message = "mail needs either ses = true or a host."
  }
  validation {
    condition     = var.mail == null ? true : (var.mail.user == null) == (var.mail.password_secret == null)
    error_message = "Set both mail.user and mail.password_secret, or neither."
  }
  validation {
    condition     = var.mail == null ? true : var.mail.port != 25
    error_message = "AWS blocks outgoing connections to port 25; mail servers accept messages on 587 or 465."
  }
  validation {
    condition     = try(!var.mail.ses, true) ? true : can(regex("[@.]${replace(var.zone, ".", "\\.")}>?$", var.mail.from))
    error_message = "For SES the address in mail.from must be in the hosted zone, where its DKIM records are created."
  }
}

# The complete URL of the server, for machines and tasks. The state contains the password, too.
resource "aws_secretsmanager_secret" "mail" {
  #checkov:skip=CKV2_AWS_57:The password is managed by the mail server; for SES, deploy/terraform/tf apply -replace='aws_iam_access_key.mail[0]' changes it
  count = length(var.mail[*])

  name                    = "${var.name}/mail"
  description             = "URL of the mail server, with its password"
  kms_key_id              = aws_kms_key.main.arn
  recovery_window_in_days = var.protected ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "mail" {
  count = length(var.mail[*])

  secret_id = aws_secretsmanager_secret.mail[0].id
  secret_string = jsonencode({
    url = "${local.mail_scheme}://${local.mail_login}${local.mail_server.host}:${local.mail_server.port}"
  })
}

# Another mail server

data "aws_secretsmanager_secret_version" "mail_password" {
  count = try(length(var.mail.password_secret[*]), 0)

  secret_id = var.mail.password_secret
}

resource "aws_vpc_security_group_egress_rule" "mail" {
  count = local.on_smtp

  security_group_id = aws_security_group.tier["app"].id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = var.mail.port
  to_port           = var.mail.port
  description       = "mail server"
}

# Amazon SES

# Counts bounces and complaints, and reports each: SES accepts a message before it is delivered.
resource "aws_sesv2_configuration_set" "mail" {
  count = local.on_ses

  configuration_set_name = "${var.name}-mail"

  delivery_options {
    tls_policy = "REQUIRE"
  }
  reputation_options {
    reputation_metrics_enabled = true
  }
}

resource "aws_sesv2_configuration_set_event_destination" "mail" {
  count = local.on_ses

  configuration_set_name = aws_sesv2_configuration_set.mail[0].configuration_set_name
  event_destination_name = "rejected"

  event_destination {
    enabled              = true
    matching_event_types = ["BOUNCE", "COMPLAINT", "REJECT"]

    sns_destination {
      topic_arn = aws_sns_topic.alerts["warning"].arn
    }
  }

  depends_on = [aws_sns_topic_policy.alerts]
}

resource "aws_sesv2_email_identity" "mail" {
  count = local.on_ses

  email_identity         = local.mail_domain
  configuration_set_name = aws_sesv2_configuration_set.mail[0].configuration_set_name

  dkim_signing_attributes {
    next_signing_key_length = "RSA_2048_BIT"
  }
}

resource "aws_route53_record" "dkim" {
  count = 3 * local.on_ses

  zone_id = data.aws_route53_zone.main.zone_id
  name    = "${aws_sesv2_email_identity.mail[0].dkim_signing_attributes[0].tokens[count.index]}._domainkey.${local.mail_domain}"
  type    = "CNAME"
  records = ["${aws_sesv2_email_identity.mail[0].dkim_signing_attributes[0].tokens[count.index]}.dkim.amazonses.com"]
  ttl     = 1800
}

resource "aws_vpc_endpoint" "mail" {
  count = local.on_ses

  vpc_id              = aws_vpc.main.id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${var.region}.email-smtp"
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = [aws_security_group.tier["endpoint"].id]
  private_dns_enabled = true

  tags = { Name = "${var.name}-email-smtp" }
}

resource "aws_iam_user" "mail" {
  #checkov:skip=CKV_AWS_273:SMTP of SES does not support roles, so this is a user that may only send from one address
  count = local.on_ses

  name = "${var.name}-mail"
}

# SES also asks whether the user may send with the default configuration set of the identity.
resource "aws_iam_user_policy" "mail" {
  #checkov:skip=CKV_AWS_40:This user is one program, which needs no group
  count = local.on_ses

  name = "least"
  user = aws_iam_user.mail[0].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "SendFromOneAddress"
      Effect    = "Allow"
      Action    = ["ses:SendRawEmail"]
      Resource  = [aws_sesv2_email_identity.mail[0].arn, aws_sesv2_configuration_set.mail[0].arn]
      Condition = { StringEquals = { "ses:FromAddress" = local.mail_address } }
    }]
  })
}

resource "aws_iam_access_key" "mail" {
  count = local.on_ses

  user = aws_iam_user.mail[0].name
}
