"""Small transformers: a built-in GPT, the bridge to models of transformers and peft, a callback for their Trainer."""
