# Production, with the values of the deployment manual.

environment = "production"
region      = "ap-northeast-1"
domain      = "tms.techcore-solutions.jp"
zone        = "techcore-solutions.jp"
repository  = "techcore/tms"

compute = "ec2"
release = "1.0.0"

machine = { type = "t3.medium", nodes = 2 }
scale   = { least = 2, most = 10 }

network = {
  cidr    = "10.0.0.0/16"
  zones   = ["ap-northeast-1a", "ap-northeast-1c"]
  public  = ["10.0.1.0/24", "10.0.2.0/24"]
  private = ["10.0.10.0/24", "10.0.11.0/24"]
}

# RDS counts in UTC: these windows are the early afternoon in Japan. For the night there: "18:00-19:00" and
# "sat:19:00-sat:20:00", and for Redis cache_window = "sat:20:00-sat:21:00".
database = {
  class              = "db.t3.medium"
  storage_gb         = 100
  backup_days        = 7
  backup_window      = "03:00-04:00"
  maintenance_window = "sun:04:00-sun:05:00"
}

people_rate_limit = 2000
monthly_budget    = 1000
alarm_emails      = ["noc@techcore-solutions.jp"]

# Whom critical alarms page; there is no default, because without it nobody is woken:
# on_call = [{ protocol = "sms", endpoint = "+819012345678" }]

# Any setting of docs/settings.md:
# settings = { TMS_READINGS_DAYS = "30" }
# E-mail through Amazon SES; docs/deploying.md has the other ways:
# mail = { ses = true, from = "TMS <tms@techcore-solutions.jp>" }
