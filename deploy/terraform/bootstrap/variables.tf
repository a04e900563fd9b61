variable "name" {
  description = "Begins the name of the bucket; the same as in the configuration whose state it keeps."
  type        = string
  default     = "tms"
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "ap-northeast-1"
}

variable "github_provider" {
  description = "Whether to make the OIDC provider of GitHub. False if the account has one: aws iam list-open-id-connect-providers."
  type        = bool
  default     = true
}
