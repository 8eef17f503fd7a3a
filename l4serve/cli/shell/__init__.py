"""How every command speaks and ends: output, messages, questions, help, guards."""
