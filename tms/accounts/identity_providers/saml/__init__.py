"""SAML 2.0, web browser single sign-on profile: TMS is the service provider."""
