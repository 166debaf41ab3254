"""What a customer is worth, what a rescue would cost and gain, and who is held out to measure that.

Pure arithmetic on plain values and columns; `warnings` and `outcomes` know when it is needed.
"""
