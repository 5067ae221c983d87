"""The port protocol of docs/porting.md: python3 -m smooth_topk.serve numpy|torch|jax"""
