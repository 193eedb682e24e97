"""Pretrained models in Hugging Face folders: bringing them in, generating with them."""
