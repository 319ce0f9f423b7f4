"""
A Trainer with a callback
=========================

A tiny BERT with LoRA, random weights and made-up data, trained by transformers as usual. The
callback is one argument more.
"""

import torch
from peft import LoraConfig, get_peft_model
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

import boundcheck as bc

torch.manual_seed(0)
words = torch.randint(3, 30, (64, 8))
data = [{"input_ids": each, "labels": int(each[0] > 15)} for each in words]
size = dict.fromkeys(("hidden_size", "intermediate_size"), 32)
heads = {"num_hidden_layers": 2, "num_attention_heads": 2}
config = BertConfig(vocab_size=30, max_position_embeddings=16, **size, **heads)
lora = LoraConfig(r=4, target_modules=["query", "value"], modules_to_save=["classifier"])
model = get_peft_model(BertForSequenceClassification(config), lora)
how = {"save_strategy": "no", "report_to": "none", "disable_tqdm": True, "use_cpu": True}
args = TrainingArguments(output_dir="out", max_steps=40, logging_strategy="no", **how)
callback = bc.BoundcheckCallback(every=10)
Trainer(model=model, args=args, train_dataset=data, callbacks=[callback]).train()
callback.result

# %%
# The theorem is about SGD at a constant step, and this run used AdamW: it says nothing of it. What
# was measured on the way is in the result all the same.
