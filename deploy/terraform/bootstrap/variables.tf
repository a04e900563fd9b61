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
