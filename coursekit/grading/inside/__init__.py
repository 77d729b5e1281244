"""What runs inside the sandbox, beside the learner's code: nothing here is trusted by the judge."""
