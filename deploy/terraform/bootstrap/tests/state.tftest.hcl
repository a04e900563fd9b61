mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
}

# Plans only: the bucket refuses to be destroyed, and a test destroys what it applied.
run "state" {
  command = plan

  assert {
    condition     = aws_s3_bucket.state.bucket == "tms-123456789012-terraform"
    error_message = "The bucket must have a name that nobody else has."
  }
  assert {
    condition     = one(aws_s3_bucket_versioning.state.versioning_configuration).status == "Enabled"
    error_message = "A state that was spoilt must be had back."
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.state.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
    error_message = "The state holds secrets: it must be encrypted with a key of ours."
  }
  assert {
    condition     = aws_s3_bucket_public_access_block.state.block_public_policy && aws_s3_bucket_public_access_block.state.restrict_public_buckets
    error_message = "The state must not be public."
  }
}

run "the_account_believes_github_once" {
  command = plan

  assert {
    condition     = aws_iam_openid_connect_provider.github[0].url == "https://token.actions.githubusercontent.com"
    error_message = "The pipeline signs in without a key."
  }
}

run "an_account_that_believes_github_already_is_left_alone" {
  command = plan

  variables {
    github_provider = false
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0
    error_message = "An account may have only one."
  }
}
