# Settings of TMS, the same for machines and tasks. Each TMS_* variable is set in one place in the tfvars: the variable that
# `decided_settings` names, or `settings` for all others.

locals {
  # Settings that follow from this configuration, with what to change instead.
  decided_settings = {
    TMS_ARTIFACTS_BUCKET        = "name"
    TMS_ARTIFACTS_BY_NGINX      = "nothing: S3 sends them"
    TMS_AUDIT_BUCKET            = "name"
    TMS_AGENT_CREDENTIAL        = "nothing: it belongs to a terminal"
    TMS_ALLOWED_HOSTS           = "domain"
    TMS_CLOUDWATCH_LOG_GROUP    = "name"
    TMS_CLOUDWATCH_NAMESPACE    = "nothing: alarms and dashboard read TMS"
    TMS_CONNECTIONS_PER_ADDRESS = "terminals_per_address"
    TMS_DATABASE_MASTER_SECRET  = "database"
    TMS_DATABASE_SECRET         = "database"
    TMS_DATABASE_URL            = "database"
    TMS_DATA_DIR                = "nothing: a server keeps all in the database"
    TMS_DEBUG                   = "nothing: it shows source and settings"
    TMS_EMAIL_FROM              = "mail"
    TMS_EMAIL_URL               = "mail"
    TMS_FILES_BUCKET            = "name"
    TMS_ERROR_LOG               = "nothing: errors go to CloudWatch"
    TMS_NODE                    = "nothing: each process has a name of its own"
    TMS_PRODUCTION              = "nothing: it is always 1"
    TMS_PUBLIC_URL              = "domain"
    TMS_REDIS_URL               = "cache_type"
    TMS_SECRET_KEY              = "nothing: it is a secret; docs/deploying.md, Secrets"
    TMS_STATIC_BUCKET           = "cdn"
    TMS_STATIC_ROOT             = "nothing: it belongs to the release"
    TMS_STATIC_URL              = "cdn"
    TMS_TRUSTED_PROXIES         = "network"
  }

  documented_settings = toset(regexall("(?m)^\\| `(TMS_[A-Z_]+)` \\|", file("${path.module}/../../docs/settings.md"))[*][0])

  settings = merge(
    {
      TMS_PUBLIC_URL              = "https://${var.domain}"
      TMS_CONNECTIONS_PER_ADDRESS = tostring(local.per_address_limit)
      TMS_ARTIFACTS_BUCKET        = aws_s3_bucket.main["artifacts"].bucket
      TMS_AUDIT_BUCKET            = aws_s3_bucket.main["audit"].bucket
      TMS_FILES_BUCKET            = aws_s3_bucket.main["files"].bucket
    },
    { for mail in var.mail[*] : "TMS_EMAIL_FROM" => mail.from },
    var.settings,
  )
}

variable "settings" {
  description = "Settings of TMS by name (docs/settings.md), such as { TMS_READINGS_DAYS = \"30\" }. A change applies when machines or tasks are replaced. No secrets."
  type        = map(string)
  default     = {}

  validation {
    condition = length(setsubtract(keys(var.settings), local.documented_settings)) == 0
    error_message = format(
      "docs/settings.md does not list %s.", join(", ", setsubtract(keys(var.settings), local.documented_settings)),
    )
  }
  validation {
    condition = length(setintersection(keys(var.settings), keys(local.decided_settings))) == 0
    error_message = join(" ", [
      for name in setintersection(keys(var.settings), keys(local.decided_settings)) :
      "${name} is set elsewhere; change ${local.decided_settings[name]}."
    ])
  }
  validation {
    condition     = alltrue([for value in values(var.settings) : !can(regex("[\"'$`\\\\\\r\\n]", value))])
    error_message = "A value must not contain quotation marks, dollar signs, backslashes or line ends, because a shell reads it."
  }
  validation {
    condition     = try(tonumber(var.settings.TMS_DRAIN_SPREAD_S) <= 60, !contains(keys(var.settings), "TMS_DRAIN_SPREAD_S"))
    error_message = "TMS_DRAIN_SPREAD_S is at most 60: a machine has 240 s to stop, and a task 120 s."
  }
  validation {
    condition     = try(tonumber(var.settings.TMS_PING_INTERVAL_S) <= 60, !contains(keys(var.settings), "TMS_PING_INTERVAL_S"))
    error_message = "TMS_PING_INTERVAL_S is at most 60: nginx closes a WebSocket that is idle for 75 s."
  }
}
