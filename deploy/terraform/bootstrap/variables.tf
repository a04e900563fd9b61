variable "name" {
  description = "Prefix of the name of the bucket; the same as in the configuration whose state it stores."
  type        = string
  default     = "tms"
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "ap-northeast-1"
}

variable "github_provider" {
  description = "Whether to create the OIDC provider of GitHub. False if the account already has one: aws iam list-open-id-connect-providers."
  type        = bool
  default     = true
}
