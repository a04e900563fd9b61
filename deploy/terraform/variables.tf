variable "name" {
  description = "Prefix of all names. A second environment in the same account needs another one."
  type        = string
  default     = "tms"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,14}$", var.name))
    error_message = "Up to 15 lowercase letters, digits and hyphens, beginning with a letter: load balancers allow no more."
  }
}

variable "environment" {
  description = "Name of this environment. Deployments come from the GitHub environment of this name."
  type        = string
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "ap-northeast-1"
}

variable "domain" {
  description = "Host name under which people and terminals reach TMS."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain))
    error_message = "A host name in lowercase, such as tms.example.com, without https:// and without a path."
  }
}

variable "zone" {
  description = "Route 53 hosted zone of the domain. It must exist already."
  type        = string

  validation {
    condition     = var.domain == var.zone || endswith(var.domain, ".${var.zone}")
    error_message = "The domain must be the zone, or a name in it."
  }
}

# Compute

variable "compute" {
  description = "Where TMS runs: \"ec2\", machines in an Auto Scaling group, or \"ecs\", containers on Fargate (experimental: docs/deploying.md, ECS)."
  type        = string
  default     = "ec2"

  validation {
    condition     = contains(["ec2", "ecs"], var.compute)
    error_message = "compute is \"ec2\" or \"ecs\"."
  }
}

variable "release" {
  description = "First release that machines install. The pipeline writes later ones to the SSM parameter."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+([.+-][0-9A-Za-z.-]+)?$", var.release))
    error_message = "A version such as 1.4.2, without a v before it."
  }
}

variable "image" {
  description = "Container image of the first release on ECS, with its digest: REPOSITORY@sha256:..."
  type        = string
  default     = ""

  validation {
    condition     = var.compute == "ec2" || can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "ECS needs an image with its digest, REPOSITORY@sha256:...: a tag may point to another image tomorrow."
  }
}

variable "machine" {
  description = "EC2 machines: type (x86_64), disk, number of server processes (one per core), and a custom image that has the packages already; default: Amazon Linux 2023, pinned in the parameter /NAME/machine-image."
  type = object({
    type    = optional(string, "t3.medium")
    disk_gb = optional(number, 30)
    nodes   = optional(number, 2)
    image   = optional(string)
  })
  default = {}

  validation {
    condition     = var.machine.nodes >= 1 && var.machine.disk_gb >= 20
    error_message = "A machine runs at least one server process, and needs a disk of at least 20 GB."
  }
  validation {
    condition     = var.machine.image == null ? true : can(regex("^ami-[0-9a-f]{8,17}$", var.machine.image))
    error_message = "Give the image by its id, such as ami-0123456789abcdef0."
  }
}

variable "task" {
  description = "ECS tasks, each of which is one server process: CPU units (1024 are one core) and memory in MiB."
  type = object({
    cpu    = optional(number, 1024)
    memory = optional(number, 2048)
  })
  default = {}
}

variable "scale" {
  description = "Number of machines (ec2) or server tasks (ecs): minimum, maximum, and terminals per machine or task."
  type = object({
    least     = optional(number, 2)
    most      = optional(number, 10)
    terminals = optional(number, 10000)
  })
  default = {}

  validation {
    condition     = var.scale.least >= 2 && var.scale.most >= var.scale.least
    error_message = "The minimum is two, so that one may fail, and must not exceed the maximum."
  }
}

# Network

variable "network" {
  description = "Address range of the VPC, and its zones with one public and one private subnet each."
  type = object({
    cidr    = optional(string, "10.0.0.0/16")
    zones   = optional(list(string), ["ap-northeast-1a", "ap-northeast-1c"])
    public  = optional(list(string), ["10.0.1.0/24", "10.0.2.0/24"])
    private = optional(list(string), ["10.0.10.0/24", "10.0.11.0/24"])
  })
  default = {}

  validation {
    condition     = length(distinct(var.network.zones)) >= 2
    error_message = "At least two zones: a zone fails as a whole."
  }
  validation {
    condition     = alltrue([for cidrs in [var.network.public, var.network.private] : length(cidrs) == length(var.network.zones)])
    error_message = "Each zone needs one public and one private subnet."
  }
  validation {
    condition     = alltrue([for cidr in concat([var.network.cidr], var.network.public, var.network.private) : can(cidrhost(cidr, 0))])
    error_message = "Write networks like 10.0.1.0/24."
  }
}

variable "cdn" {
  description = "Whether browsers get static files from CloudFront. Otherwise TMS serves them itself."
  type        = bool
  default     = true
}

# Data

variable "database" {
  description = "PostgreSQL: instance class, storage and its maximum, connections, days of backups, windows in UTC, dumps (daily, weekly or none), whether machines may read the secret of the master user (needed for the first deployment and to change the password of TMS); `identifier` only if a restored instance keeps its own name."
  type = object({
    identifier         = optional(string)
    class              = optional(string, "db.t3.medium")
    storage_gb         = optional(number, 100)
    storage_most_gb    = optional(number, 500)
    connections        = optional(number, 500)
    backup_days        = optional(number, 7)
    backup_window      = optional(string, "03:00-04:00")
    maintenance_window = optional(string, "sun:04:00-sun:05:00")
    dumps              = optional(string, "daily")
    master_on_machines = optional(bool, true)
  })
  default = {}

  # AWS Backup starts between 15:00 and 16:00 UTC (backup.tf), and RDS takes no snapshot in the hour before one of its windows, or during it.
  validation {
    condition = alltrue([
      for times in [for window in [var.database.backup_window, var.database.maintenance_window] : [for time in regexall("([0-9]{2}):([0-9]{2})", window) : 60 * tonumber(time[0]) + tonumber(time[1])]] :
      length(times) == 2 && (times[1] <= times[0] ? times[0] >= 17 * 60 && times[1] <= 15 * 60 : times[0] >= 17 * 60 || times[1] <= 15 * 60)
    ])
    error_message = "Windows such as 18:00-19:00 and sat:19:00-sat:20:00, in UTC, and none between 15:00 and 17:00: AWS Backup makes its snapshot then."
  }

  validation {
    condition     = contains(["daily", "weekly", "none"], var.database.dumps)
    error_message = "database.dumps is \"daily\", \"weekly\" or \"none\"."
  }

  validation {
    condition     = var.database.backup_days >= 7 && var.database.backup_days <= 35
    error_message = "RDS keeps backups for 7 to 35 days: with fewer, a mistake noticed after a week could not be undone."
  }
  validation {
    condition     = var.database.storage_most_gb > var.database.storage_gb
    error_message = "The storage must have room to grow."
  }
}

variable "cache_type" {
  description = "Node type of Redis, which carries the feed between processes, and holds sessions and the cache."
  type        = string
  default     = "cache.t4g.small"
}

variable "cache_window" {
  description = "Maintenance window of Redis, in UTC. The default follows that of the database in the deployment manual: Sunday afternoon in Japan."
  type        = string
  default     = "sun:05:00-sun:06:00"
}

variable "cache_token_update" {
  description = "What a new token of Redis does with the old one: ROTATE keeps both valid, until SET revokes the old one."
  type        = string
  default     = "ROTATE"

  validation {
    condition     = contains(["ROTATE", "SET"], var.cache_token_update)
    error_message = "cache_token_update is \"ROTATE\" or \"SET\"."
  }
}

variable "tags" {
  description = "Tags of every resource, such as { Owner = \"noc\", CostCentre = \"4711\" }."
  type        = map(string)
  default     = {}
}

variable "backup_copy_vault" {
  description = "ARN of an AWS Backup vault in another account, to which each database snapshot is copied. Empty: no copy."
  type        = string
  default     = ""

  validation {
    condition     = var.backup_copy_vault == "" || can(regex("^arn:aws:backup:[a-z0-9-]+:[0-9]{12}:backup-vault:[A-Za-z0-9_-]+$", var.backup_copy_vault))
    error_message = "Give the vault by its ARN: arn:aws:backup:REGION:ACCOUNT:backup-vault:NAME."
  }
}

variable "protected" {
  description = "Deletion protection of the database and the load balancer, and 30 days in which a deleted secret can be restored. Set it to false for a trial environment."
  type        = bool
  default     = true
}

variable "log_days" {
  description = "Days that CloudWatch keeps logs."
  type        = number
  default     = 365

  validation {
    condition     = contains([30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_days)
    error_message = "One of the periods of CloudWatch: 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731 days."
  }
}

# Access and alarms

variable "monthly_budget" {
  description = "Expected cost of the whole account a month, in US dollars. AWS sends an e-mail at 80 %, and when the forecast exceeds it."
  type        = number
  default     = 1000

  validation {
    condition     = var.monthly_budget > 0
    error_message = "A number of US dollars above 0."
  }
}

variable "terminals_per_address" {
  description = "Terminals of the largest shop, which share one public address. The limits of the WAF and of TMS follow from it."
  type        = number
  default     = 10000

  validation {
    condition     = var.terminals_per_address >= 100 && var.terminals_per_address <= 100000 && floor(var.terminals_per_address) == var.terminals_per_address
    error_message = "A whole number from 100 to 100000."
  }
}

variable "people_rate_limit" {
  description = "Requests of people and programs from one address within five minutes."
  type        = number
  default     = 2000

  validation {
    condition     = var.people_rate_limit >= 100
    error_message = "At least 100: one page makes a dozen requests."
  }
}

variable "known_addresses" {
  description = "Addresses of your own shops and offices, such as 192.0.2.10/32, which are exempt from the WAF limits for terminals and people."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.known_addresses : can(cidrnetmask(address)) && !endswith(address, "/0")])
    error_message = "IPv4 networks, such as 192.0.2.10/32 or 198.51.100.0/24."
  }
}

variable "notify_topics" {
  description = "SNS topics to which TMS may send notifications, each with the ARN of its own KMS key if it has one."
  type = list(object({
    arn = string
    key = optional(string)
  }))
  default = []

  validation {
    condition     = alltrue([for topic in var.notify_topics : can(regex("^arn:aws:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+$", topic.arn))])
    error_message = "Give the topic by its ARN: arn:aws:sns:REGION:ACCOUNT:NAME."
  }
  validation {
    condition     = alltrue([for topic in var.notify_topics : topic.key == null ? true : can(regex("^arn:aws:kms:[a-z0-9-]+:[0-9]{12}:key/[0-9a-f-]+$", topic.key))])
    error_message = "Give the key by its ARN, not by an alias: arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "alarm_emails" {
  description = "Recipients of alarms of both severities. Each address must confirm two messages of AWS, one for each severity."
  type        = set(string)

  validation {
    condition     = length(var.alarm_emails) > 0
    error_message = "At least one address must receive the alarms."
  }
}

variable "on_call" {
  description = "Who is paged for critical alarms: sms with a number such as +819012345678, or https with the URL of a paging service. With `page_nobody` it may be empty."
  type        = list(object({ protocol = string, endpoint = string }))

  validation {
    condition     = anytrue([for one in var.on_call : one.protocol != "email"]) || var.page_nobody
    error_message = "Nobody would be paged at night: name a number or a paging service in on_call, or set page_nobody = true."
  }

  validation {
    condition = alltrue([
      for one in var.on_call : can(regex("^(sms \\+[0-9]{8,15}|https https://.+|email .+@.+)$", "${one.protocol} ${one.endpoint}"))
    ])
    error_message = "on_call has { protocol = \"sms\", endpoint = \"+819012345678\" }, \"https\" with an https:// URL, or \"email\"."
  }
}

variable "page_nobody" {
  description = "Whether critical alarms are only sent by e-mail, such as in a trial environment."
  type        = bool
  default     = false
}

variable "silent_terminals" {
  description = "Number of silent terminals up to which no alarm fires, in a fleet of any size."
  type        = number
  default     = 50
}

variable "silent_percent" {
  description = "Share of silent terminals in the fleet, in per cent, up to which no alarm fires."
  type        = number
  default     = 5

  validation {
    condition     = var.silent_percent >= 0 && var.silent_percent < 100
    error_message = "A share of the fleet, from 0 to 99."
  }
}

variable "repository" {
  description = "GitHub repository whose pipeline may deploy, OWNER/NAME."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.repository))
    error_message = "OWNER/NAME, without the host and without .git."
  }
}
