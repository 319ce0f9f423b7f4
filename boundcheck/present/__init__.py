"""Reports: figures, tables and one self-contained page from stored runs; and the audits of
papers.
"""
