"""What a person sees: pages, commands, domain rules, settings. The only package that knows all others."""
