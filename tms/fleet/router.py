"""The router of all REST operations of the fleet: operations of one address must share a router."""

from tms.rest_base.router import ApiRouter

router = ApiRouter("fleet")
