"""Selectors turn learning curves into one score per problem; how sure the scores are."""
