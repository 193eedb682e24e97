"""Learning curves: logs of any trainer, counted per problem and epoch."""
