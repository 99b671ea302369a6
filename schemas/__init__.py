"""What is said: vocabulary, contexts, typed objects and codecs. Never does cryptography or I/O."""
