"""Single sign-on: people sign in at an identity provider, whose groups become grants."""
