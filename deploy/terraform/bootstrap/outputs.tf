output "init" {
  description = "The command that connects ../ to this bucket. Only the holder of the lock can change the state."
  value = join(" ", [
    "terraform init",
    "-backend-config=bucket=${aws_s3_bucket.state.bucket}",
    "-backend-config=key=production.tfstate",
    "-backend-config=region=${var.region}",
    "-backend-config=kms_key_id=${aws_kms_key.state.arn}",
    "-backend-config=encrypt=true",
    "-backend-config=use_lockfile=true",
  ])
}
