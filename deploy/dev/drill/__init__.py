"""Parts of ./dev drill; drill.py beside this folder says which."""
