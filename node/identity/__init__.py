"""Who somebody is beyond this server: an identity key of their own, opened only by their recovery code."""
