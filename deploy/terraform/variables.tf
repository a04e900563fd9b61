variable "name" {
  description = "Begins the name of everything here. Another one beside it in the same account needs another name."
  type        = string
  default     = "tms"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,14}$", var.name))
    error_message = "Up to 15 small letters, digits and hyphens, a letter first: load balancers allow no more."
  }
}

variable "environment" {
  description = "Which one this is. Deployments come from the GitHub environment of this name."
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
    error_message = "A host name in small letters, such as tms.example.com, without https:// and without a path."
  }
}

variable "zone" {
  description = "Hosted zone of Route 53 in which the domain lies. It must be there already."
  type        = string

  validation {
    condition     = var.domain == var.zone || endswith(var.domain, ".${var.zone}")
    error_message = "The domain must be the zone, or lie in it."
  }
}

# What runs

variable "compute" {
  description = "What TMS runs on: \"ec2\", machines in an Auto Scaling group, or \"ecs\", containers on Fargate."
  type        = string
  default     = "ec2"

  validation {
    condition     = contains(["ec2", "ecs"], var.compute)
    error_message = "compute is \"ec2\" or \"ecs\"."
  }
}

variable "release" {
  description = "Release that machines install first. Later ones are put into the SSM parameter by the pipeline."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+([.+-][0-9A-Za-z.-]+)?$", var.release))
    error_message = "A version such as 1.4.2, without a v before it."
  }
}

variable "image" {
  description = "Container image of the first release on ECS, by its digest: REPOSITORY@sha256:..."
  type        = string
  default     = ""

  validation {
    condition     = var.compute == "ec2" || can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "ECS needs an image by its digest, REPOSITORY@sha256:...: a tag may be something else tomorrow."
  }
}

variable "machine" {
  description = "Each EC2 machine: its type (x86_64), its disk, how many server processes it runs (one a core), and an image of your own that has the packages already; else the newest Amazon Linux 2023."
  type = object({
    type    = optional(string, "t3.medium")
    disk_gb = optional(number, 30)
    nodes   = optional(number, 2)
    image   = optional(string)
  })
  default = {}

  validation {
    condition     = var.machine.nodes >= 1 && var.machine.disk_gb >= 20
    error_message = "A machine runs one server process at least, and needs a disk of 20 GB."
  }
  validation {
    condition     = var.machine.image == null ? true : can(regex("^ami-[0-9a-f]{8,17}$", var.machine.image))
    error_message = "An image is given by its id, such as ami-0123456789abcdef0."
  }
}

variable "task" {
  description = "Each ECS task, which is one server process: CPU units (1024 are a core) and MiB of memory."
  type = object({
    cpu    = optional(number, 1024)
    memory = optional(number, 2048)
  })
  default = {}
}

variable "scale" {
  description = "How many machines (ec2) or server tasks (ecs): at least, at most, and the terminals for each."
  type = object({
    least     = optional(number, 2)
    most      = optional(number, 10)
    terminals = optional(number, 10000)
  })
  default = {}

  validation {
    condition     = var.scale.least >= 2 && var.scale.most >= var.scale.least
    error_message = "At least two, so that one may fail, and not more at least than at most."
  }
}

# Where it runs

variable "network" {
  description = "Addresses of the VPC, and its zones with a public and a private subnet in each."
  type = object({
    cidr    = optional(string, "10.0.0.0/16")
    zones   = optional(list(string), ["ap-northeast-1a", "ap-northeast-1c"])
    public  = optional(list(string), ["10.0.1.0/24", "10.0.2.0/24"])
    private = optional(list(string), ["10.0.10.0/24", "10.0.11.0/24"])
  })
  default = {}

  validation {
    condition     = length(distinct(var.network.zones)) >= 2
    error_message = "Two zones at least: a zone fails as a whole."
  }
  validation {
    condition     = alltrue([for cidrs in [var.network.public, var.network.private] : length(cidrs) == length(var.network.zones)])
    error_message = "Each zone has one public and one private subnet."
  }
  validation {
    condition     = alltrue([for cidr in concat([var.network.cidr], var.network.public, var.network.private) : can(cidrhost(cidr, 0))])
    error_message = "Networks are written as 10.0.1.0/24."
  }
}

variable "cdn" {
  description = "Whether browsers get static files from CloudFront. Otherwise TMS serves them itself."
  type        = bool
  default     = true
}

# What keeps the data

variable "database" {
  description = "PostgreSQL: instance class, storage and how far it may grow, connections, days of backups, windows in UTC; `identifier` only where a restored instance keeps a name of its own."
  type = object({
    identifier         = optional(string)
    class              = optional(string, "db.t3.medium")
    storage_gb         = optional(number, 100)
    storage_most_gb    = optional(number, 500)
    connections        = optional(number, 400)
    backup_days        = optional(number, 7)
    backup_window      = optional(string, "03:00-04:00")
    maintenance_window = optional(string, "sun:04:00-sun:05:00")
  })
  default = {}

  validation {
    condition     = var.database.backup_days >= 7 && var.database.backup_days <= 35
    error_message = "RDS keeps 7 to 35 days here: fewer lose a mistake that was noticed after a week."
  }
  validation {
    condition     = var.database.storage_most_gb > var.database.storage_gb
    error_message = "The storage must have room to grow."
  }
}

variable "cache_type" {
  description = "Node type of Redis, which carries the feed between processes, sessions and the cache."
  type        = string
  default     = "cache.t4g.small"
}

variable "backup_copy_vault" {
  description = "ARN of a vault of AWS Backup in another account, to which each snapshot of the database is copied. Empty: no copy."
  type        = string
  default     = ""

  validation {
    condition     = var.backup_copy_vault == "" || can(regex("^arn:aws:backup:[a-z0-9-]+:[0-9]{12}:backup-vault:[A-Za-z0-9_-]+$", var.backup_copy_vault))
    error_message = "A vault is given by its ARN: arn:aws:backup:REGION:ACCOUNT:backup-vault:NAME."
  }
}

variable "protected" {
  description = "Whether database and load balancer refuse to be deleted. False for one that is only tried out."
  type        = bool
  default     = true
}

variable "log_days" {
  description = "How long CloudWatch keeps logs."
  type        = number
  default     = 365

  validation {
    condition     = contains([30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_days)
    error_message = "CloudWatch knows 30, 60, 90, 120, 150, 180, 365, 400, 545 and 731 days, and a few beyond these."
  }
}

# Who may come in, and who is told

variable "terminals_per_address" {
  description = "Terminals of the largest shop, which all come from one public address. Limits of the WAF and of TMS follow from it."
  type        = number
  default     = 10000

  validation {
    condition     = var.terminals_per_address >= 100 && var.terminals_per_address <= 100000 && floor(var.terminals_per_address) == var.terminals_per_address
    error_message = "A whole number from 100 to 100000."
  }
}

variable "people_rate_limit" {
  description = "Requests of people and programs in five minutes from one address."
  type        = number
  default     = 2000

  validation {
    condition     = var.people_rate_limit >= 100
    error_message = "A page asks for a dozen things: 100 at least."
  }
}

variable "known_addresses" {
  description = "Addresses of your own shops and offices, such as 192.0.2.10/32, which the WAF limits neither as terminals nor as people."
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
    error_message = "A topic is given by its ARN: arn:aws:sns:REGION:ACCOUNT:NAME."
  }
  validation {
    condition     = alltrue([for topic in var.notify_topics : topic.key == null ? true : can(regex("^arn:aws:kms:[a-z0-9-]+:[0-9]{12}:key/[0-9a-f-]+$", topic.key))])
    error_message = "A key is given by its ARN, not by an alias: arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "alarm_emails" {
  description = "Who gets the alarms of both severities. Each address must confirm the two messages that AWS sends it."
  type        = set(string)

  validation {
    condition     = length(var.alarm_emails) > 0
    error_message = "Somebody must hear the alarms."
  }
}

variable "on_call" {
  description = "Who is woken by critical alarms, besides: sms with a number such as +819012345678, or https with the address of a paging service."
  type        = list(object({ protocol = string, endpoint = string }))
  default     = []

  validation {
    condition = alltrue([
      for one in var.on_call : can(regex("^(sms \\+[0-9]{8,15}|https https://.+|email .+@.+)$", "${one.protocol} ${one.endpoint}"))
    ])
    error_message = "on_call has { protocol = \"sms\", endpoint = \"+819012345678\" }, \"https\" with an https:// address, or \"email\"."
  }
}

variable "silent_terminals" {
  description = "How many terminals may be silent before somebody is called."
  type        = number
  default     = 50
}

variable "repository" {
  description = "GitHub repository whose pipeline deploys, OWNER/NAME."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.repository))
    error_message = "OWNER/NAME, without the host and without .git."
  }
}
