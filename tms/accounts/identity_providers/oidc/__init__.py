"""OpenID Connect: authorization code with PKCE, and back-channel logout."""
