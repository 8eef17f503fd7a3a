"""The memory model and the public estimators behind one question: how many tokens of KV cache will the engine have?"""
