"""What AWS charges in Tokyo, in dollars a month. Rounded list prices: check them before you buy."""

from benchmarks.scaling.inputs import Input

SIZING = "deploying.md, Sizing"
LIST = "list price, November 2026, rounded; not verified with AWS"
HOURS = 730

MACHINE = Input(45, "t3.medium with its disk", "$", SIZING)
DATABASE = Input(320, "db.m6g.large, two zones", "$", SIZING)
DISK_GB = Input(0.28, "disk of the database, two zones, per GB", "$", SIZING)
BALANCER = Input(18, "load balancer", "$", SIZING)
LCU = Input(6, "LCU of an Application Load Balancer", "$", SIZING)
LCU_CONNECTIONS = Input(3_000, "open connections in an LCU", "", SIZING)
NETWORK = Input(275, "NAT gateways and endpoints", "$", SIZING)
REDIS = Input(70, "Redis, two cache.t4g.small", "$", SIZING)
OTHERS = Input(60, "WAF, alarms, metrics, logs, secrets, keys", "$", SIZING)
BACKUP_GB = Input(0.34, "snapshots and dumps, per GB of the disk of the database", "$", SIZING)
TRANSFER = Input(4.4, "transfer to the internet and between zones, per 1,000 terminals", "$", SIZING)

NLCU = Input(4.4, "NLCU of a Network Load Balancer", "$", LIST)
NLCU_CONNECTIONS = Input(100_000, "open TCP connections in an NLCU", "", "AWS documentation")
NLCU_GB = Input(1, "GB an hour in an NLCU", "", "AWS documentation")
BROKER = Input(90, "m6i.large, for NATS", "$", LIST)
BROKERS = Input(3, "servers of a NATS cluster", "", "assumption")
SHARD = Input(14, "Kinesis shard", "$", LIST)
SHARD_MB = Input(0.5, "MB a second in a shard, half of what it takes", "", "AWS documentation: 1 MB a second")
COLUMN_NODE = Input(720, "m6i.4xlarge, for ClickHouse", "$", LIST)
COLUMN_READINGS = Input(500_000, "readings a second that such a node takes", "", "assumption")
COLUMN_GB = Input(0.1, "gp3 disk, per GB", "$", LIST)
COPIES = Input(2, "copies in ClickHouse", "", "assumption")
AURORA = Input(1_800, "Aurora, two db.r6g.2xlarge", "$", LIST)
AURORA_CORES = Input(4.8, "CPU of such a pair", "cores", "60 % of the 8 vCPU of the writer")
LINK_MINUTES = Input(0.1, "AWS IoT Core, a million minutes of connection", "$", LIST)
IOT_MESSAGES = Input(0.8, "AWS IoT Core, a million messages, mean of the tiers", "$", LIST)

PRICES = tuple(value for value in tuple(globals().values()) if isinstance(value, Input))
