"""The terminal link, version 1, as the agent speaks it. `docs/asyncapi.yaml` of TMS is the contract.

Only what an agent needs: it encodes what it sends, and checks what TMS sends.
"""

SUBPROTOCOL = "tms.v1"
