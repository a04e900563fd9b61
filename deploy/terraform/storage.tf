locals {
  # Data that the load balancer or CloudFront write or read is encrypted with a key of S3, because they cannot use ours.
  buckets = {
    static    = { what = "Files for browsers", keep_days = null, keep_old_days = 30, encryption = "AES256" }
    releases  = { what = "What machines install", keep_days = null, keep_old_days = 90, encryption = "aws:kms" }
    backups   = { what = "Dumps of the database", keep_days = 30, keep_old_days = 1, encryption = "aws:kms" }
    audit     = { what = "Anchors of the audit trail", keep_days = null, keep_old_days = 30, encryption = "aws:kms" }
    files     = { what = "Photos and files of terminals", keep_days = null, keep_old_days = 1, encryption = "aws:kms" }
    artifacts = { what = "Artifacts that terminals install", keep_days = null, keep_old_days = 1, encryption = "aws:kms" }
    logs      = { what = "Who asked for what", keep_days = var.log_days, keep_old_days = 1, encryption = "AES256" }
  }
  # TMS deletes them itself; what it could not delete, or does not know any more, follows a day later.
  terminal_files_days = tonumber(lookup(var.settings, "TMS_FILES_DAYS", "30")) + 1

  # Versions that machines cannot delete, even if somebody else controls them. TMS locks each anchor itself, for TMS_AUDIT_DAYS.
  locked_days = { backups = 30, audit = null }

  # Grants in addition to the owner's, always over TLS.
  bucket_readers_and_writers = {
    logs = [
      {
        Sid       = "TheBalancerWrites"
        Effect    = "Allow"
        Principal = { Service = "logdelivery.elasticloadbalancing.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${aws_s3_bucket.main["logs"].arn}/balancer/AWSLogs/${local.account}/*"
      },
      {
        Sid       = "BucketsWrite"
        Effect    = "Allow"
        Principal = { Service = "logging.s3.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${aws_s3_bucket.main["logs"].arn}/storage/*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
    ]
  }

  only_over_tls = {
    for name, bucket in aws_s3_bucket.main : name => {
      Sid       = "OnlyOverTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [bucket.arn, "${bucket.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }
  }
}

resource "aws_s3_bucket" "main" {
  #checkov:skip=CKV_AWS_144:The data stays in Japan; another region would be one more copy of the dumps to protect, and RDS has snapshots
  #checkov:skip=CKV_AWS_18:Every bucket except that of the logs has it; checkov cannot follow the filter of for_each
  #checkov:skip=CKV_AWS_145:Dumps and releases have our key. Data that the load balancer writes and CloudFront reads cannot have it
  #checkov:skip=CKV2_AWS_62:No consumer needs events about objects
  for_each = local.buckets

  bucket              = "${var.name}-${local.account}-${each.key}"
  object_lock_enabled = contains(keys(local.locked_days), each.key)

  tags = { Name = "${var.name}-${each.key}", Purpose = each.value.what }
}

resource "aws_s3_bucket_public_access_block" "main" {
  for_each = local.buckets

  bucket                  = aws_s3_bucket.main[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "main" {
  for_each = local.buckets

  bucket = aws_s3_bucket.main[each.key].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "main" {
  for_each = local.buckets

  bucket = aws_s3_bucket.main[each.key].id

  rule {
    bucket_key_enabled = each.value.encryption == "aws:kms"

    apply_server_side_encryption_by_default {
      sse_algorithm     = each.value.encryption
      kms_master_key_id = each.value.encryption == "aws:kms" ? aws_kms_key.main.arn : null
    }
  }
}

resource "aws_s3_bucket_versioning" "main" {
  for_each = local.buckets

  bucket = aws_s3_bucket.main[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "main" {
  for_each = local.locked_days

  bucket = aws_s3_bucket.main[each.key].id

  dynamic "rule" {
    for_each = each.value[*]

    content {
      default_retention {
        mode = "GOVERNANCE"
        days = rule.value
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.main]
}

resource "aws_s3_bucket_lifecycle_configuration" "main" {
  for_each = local.buckets

  bucket = aws_s3_bucket.main[each.key].id

  rule {
    id     = "tidy"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
    noncurrent_version_expiration {
      noncurrent_days = each.value.keep_old_days
    }
    dynamic "expiration" {
      for_each = each.value.keep_days == null ? [] : [each.value.keep_days]

      content {
        days = expiration.value
      }
    }
  }

  dynamic "rule" {
    for_each = each.key == "files" ? [local.terminal_files_days] : []

    content {
      id     = "terminal-files"
      status = "Enabled"

      filter {
        prefix = "terminal-files/"
      }
      expiration {
        days = rule.value
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.main]
}

resource "aws_s3_bucket_logging" "main" {
  for_each = { for name, bucket in local.buckets : name => bucket if name != "logs" }

  bucket        = aws_s3_bucket.main[each.key].id
  target_bucket = aws_s3_bucket.main["logs"].id
  target_prefix = "storage/${each.key}/"
}

# The policy of the files for browsers is in cdn.tf: the first release is published before CloudFront exists.
resource "aws_s3_bucket_policy" "main" {
  for_each = { for name, bucket in local.buckets : name => bucket if name != "static" }

  bucket = aws_s3_bucket.main[each.key].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat([local.only_over_tls[each.key]], lookup(local.bucket_readers_and_writers, each.key, []))
  })

  depends_on = [aws_s3_bucket_public_access_block.main]
}
