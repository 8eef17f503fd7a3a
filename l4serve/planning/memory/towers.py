"""What a vision tower takes: whether it is loaded, and its peak while an engine profiles the largest batch of items."""

from __future__ import annotations

from l4serve.planning.memory.constants import Constants
from l4serve.planning.memory.generations import Generation, vllm_generation
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.model_shape import ModelShape, VisionFacts
from l4serve.planning.values.quantity import MIB

UNLIMITED = 999
"""Items of a modality that one prompt may hold where nothing limits them (vllm/config/multimodal.py)."""
UNBOUNDED = 2**31
FRAME_BYTES = 7
"""What Gemma 4's profile holds of each number of a picture: one video beside three in benchmarks/gpu/records.jsonl."""
SPLIT_COPIES = 6
"""Vectors of a patch at the widest point of a block that tensor parallelism splits: queries, keys and values twice."""


def encodes_items(model: ModelShape, options: ServingOptions) -> bool:
    """Whether the model has a tower and a prompt may hold what it encodes: no limit of 0 for all of that."""
    return _asked_parameters(model, options) > 0


def takes_media(options: ServingOptions) -> bool:
    """Whether a prompt may hold a picture, a video or a sound."""
    return not options.language_model_only and _allows(options, "image", "video", "audio")


def loaded_parameters(model: ModelShape, options: ServingOptions) -> int:
    """Parameters of the towers that are in memory, those that see and those that hear.

    A class that its release leaves no tower out of has them whatever the limits say.
    """
    if not options.multimodal_limits or vllm_generation(options.engine_version).leaves_tower_out(model.architecture):
        return _asked_parameters(model, options)
    return model.extra_parameters


def _asked_parameters(model: ModelShape, options: ServingOptions) -> int:
    """Parameters of the towers that encode what a prompt may hold."""
    if options.language_model_only or not model.extra_parameters:
        return 0
    hearing = model.audio_parameters if _allows(options, "audio") else 0
    for_videos = model.vision is not None and model.vision.loads_for_videos and _allows(options, "video")
    seeing = model.extra_parameters - model.audio_parameters if _sees(model, options) or for_videos else 0
    return hearing + seeing


def _allows(options: ServingOptions, *modalities: str) -> bool:
    return any((options.multimodal_limits or {}).get(modality, UNLIMITED) > 0 for modality in modalities)


def _sees(model: ModelShape, options: ServingOptions) -> bool:
    return _allows(options, "image", *(("video",) if model.vision is None or model.vision.videos else ()))


def largest_item_tokens(model: ModelShape, options: ServingOptions, length: int, generation: Generation) -> int:
    """Tokens of the largest item that a context of `length` is profiled with; 0 where no source says it."""
    tower, picture, shows_videos = model.vision, _picture_tokens(model, options), _allows(options, "video")
    if tower is None or (not tower.hears and not _sees(model, options)):
        return 0  # what is heard beside pictures is far smaller than the batch
    if tower.fill_step:
        return _filling_item(tower, options, length, generation)
    if tower.video_tokens and shows_videos:
        return tower.video_tokens
    if not picture or not tower.steps or not shows_videos:
        return picture
    held = 1 if generation.video_beside_image and _allows(options, "image") else 0
    steps = min(generation.video_frames // 2, length // picture - held)
    return picture * max(1, steps)


def _filling_item(tower: VisionFacts, options: ServingOptions, length: int, generation: Generation) -> int:
    """Tokens of a video or a sound that fills the context, or of a picture where that has more.

    Source: get_num_frames_with_most_features of internvl.py and glm4_1v.py, get_max_audio_tokens of voxtral.py, 0.26.0.
    The engine compares a video beside a picture, and since 0.10.2 encodes one without it. A video has whole frames.
    """
    picture, most = tower.tokens_per_item or 0, tower.fill_most or length
    if not tower.hears:
        beside = picture if _allows(options, "image") else 0
        if not _allows(options, "video") or min(most, length - beside) <= picture:
            return picture
        length -= beside if generation.video_beside_image else 0
    steps = -(-length // tower.fill_step) if tower.hears else max(1, length // tower.fill_step)
    return min(steps * tower.fill_step, tower.fill_most or UNBOUNDED)


def whole_item(model: ModelShape, options: ServingOptions, seqs: int, length: int, generation: Generation) -> int:
    """Tokens of an item that one step must hold, 0 where none must (`compute_mm_encoder_budget`, 0.20.0)."""
    tower, limits = model.vision, options.multimodal_limits or {}
    if tower is None or generation.runner == "v0" or not encodes_items(model, options):
        return 0
    if options.whole_items:
        return largest_item_tokens(model, options, length, generation)
    if not tower.whole or not limits.get("video" if tower.videos else "image", UNLIMITED):
        return 0
    item = largest_item_tokens(model, options, length, generation) if tower.fill_step else tower.tokens_per_item or 0
    if not tower.videos:
        return item if generation.whole_pictures else 0
    raised = generation.whole_items == "held" and options.max_num_batched_tokens is None and seqs * length >= item
    return 0 if raised or generation.whole_items == "split" else item


def whole_prompt_tokens(model: ModelShape, options: ServingOptions, length: int, generation: Generation) -> int:
    """Tokens of a prompt with every item that V0 lets it hold, one of each unless a limit says so.

    V0's profile runs it in one piece, however long (`get_decoder_dummy_data` in vllm/multimodal/profiling.py of 0.8.5).
    """
    if model.vision is not None and model.vision.each_sequence:
        return 0
    limits, picture = options.multimodal_limits or {}, _picture_tokens(model, options)
    tower = model.vision
    steps = tower is not None and (tower.steps or (tower.fill_step and not tower.hears))
    videos = limits.get("video", 1) * largest_item_tokens(model, options, length, generation) if steps else 0
    return limits.get("image", 1) * picture + videos


def _picture_tokens(model: ModelShape, options: ServingOptions) -> int:
    """Tokens of the largest picture; 0 where no source says it."""
    tower = model.vision
    if tower is None or tower.tokens_per_item is None:
        return 0
    if options.max_pixels is None:
        return tower.tokens_per_item
    return max(1, min(tower.tokens_per_item, options.max_pixels // tower.pixels_per_token))


def profiled_items(options: ServingOptions, item: int, seqs: int, tokens: int, length: int) -> int:
    """Items of `item` tokens in one profiled batch (`MultiModalBudget` in vllm/multimodal/encoder_budget.py).

    The encoder's budget is the batch's tokens, or one item where that is larger.
    """
    if not item:
        return 0
    limit = (options.multimodal_limits or {}).get("image", UNLIMITED)
    per_prompt = max(1, min(limit, length // item))
    return max(1, min(tokens // item, seqs * per_prompt))


def padded_item(model: ModelShape, options: ServingOptions, item: int, tokens: int, generation: Generation) -> int:
    """Tokens to which a profiled item is padded once the tower has handed it on, itself where nothing pads it.

    From 0.11.0 to 0.12.0 that is the encoder's budget: the batch's tokens, or what the largest item counts for. A video
    of Qwen3-VL counts the words of its timestamps, 12.5 tokens for one.
    """
    if not generation.expands_outputs or not item or model.vision is None:
        return item
    videos = model.vision.video_budget if (options.multimodal_limits or {}).get("video", UNLIMITED) else 0
    return max(item, tokens, videos)


def tower_peak_bytes(
    model: ModelShape,
    items: int,
    item: int,
    tensor_parallel: int,
    element: int,
    constants: Constants,
    frame_budget: float = 0.0,
    padded: int = 0,
    *,
    looks_up: bool = True,
    masks: bool = True,
) -> tuple[float, float]:
    """Bytes at the tower's peak over `items` of `item` tokens each, and of what it hands to the decoder.

    What it hands on is padded to `padded` tokens an item. `masks` is whether attention over all patches has a mask.

    A tower that encodes frames takes as many at once as `frame_budget` bytes hold, at least one.
    Each patch holds its picture and several vectors of the tower's width, of which the attention's are split over the
    ranks. With deepstack all but the last set of vectors for the decoder is held already.
    """
    tower = model.vision
    if tower is None or not items:
        return 0.0, 0.0
    tokens = items * item
    held = constants.tower_hidden_buffers if tower.copies is None else tower.copies
    copies = SPLIT_COPIES / tensor_parallel + held - SPLIT_COPIES
    patch = copies * tower.hidden_size + tower.patch_elements
    kept = tower.kept_mib * MIB
    handed = tokens * model.hidden_size * element
    if tower.masked_patches:
        patches = items * tower.masked_patches
        return _masked_bytes(patches, tower.hidden_size, tensor_parallel, element, constants, masks=masks), handed
    if tower.frames:
        return _frames_bytes(tower, items, element, frame_budget, patch, looks_up=looks_up), handed
    encoded = _encoded_bytes(tower, items, item, element, patch) + handed * (tower.output_copies - 1)
    return encoded + kept, handed * tower.output_copies * max(padded, item) / item + kept


def _encoded_bytes(tower: VisionFacts, items: int, item: int, element: int, patch: float) -> float:
    """Bytes while items are encoded: in a block of the tower, or where each token takes a share of every word.

    Ovis holds the logits, their softmax, that in the model's type and padded, beside pictures and squares of patches.
    What is heard singly leaves its last vectors until those of the next take their place.
    """
    filling = tower.fill_patches and item > (tower.tokens_per_item or 0)
    patches = items * item * (tower.fill_patches if filling else tower.patches_per_token)
    if tower.singly:
        alone, others = patches / items, patches * (1 - 1 / items)
        left = tower.hidden_size * alone if items > 1 else 0
        return (alone * patch + others * tower.patch_elements + left) * element
    pictures = patches * (tower.hidden_size + tower.patch_elements) * element
    worded = items * item * tower.words * tower.word_bytes + pictures if tower.words else 0.0
    return max(patches * patch * element, worded)


def held_item_bytes(model: ModelShape, tokens: int, element: int) -> int:
    """What V0 holds of items of so many tokens while the decoder runs: their pictures in 32 bits, and their vectors."""
    tower = model.vision
    pictures = 4 * tower.patches_per_token * tower.patch_elements if tower else 0
    return int(tokens * (pictures + model.hidden_size * element))


def _masked_bytes(
    patches: int, width: int, tensor_parallel: int, element: int, constants: Constants, *, masks: bool
) -> float:
    """Bytes at the peak of a tower that attends over all patches at once (Pixtral): in the attention or in the MLP.

    The mask holds each pair of patches, and the attention pads it to a multiple of 8, which makes a second one;
    xformers knows the patches of a picture by their number alone.
    Source: generate_block_attention_mask of transformers' modeling_pixtral.py and PixtralHFAttention of vLLM 0.26.0;
    what a block holds beside the mask is fitted.
    """
    mask, vector = patches * patches * element if masks else 0, patches * width * element
    held = constants.masked_tower_buffers
    attention = held["attention"] + held["attentionSplit"] / tensor_parallel
    mlp = held["mlp"] + held["mlpSplit"] / tensor_parallel
    return max(attention * vector + mask * (2 if patches % 8 else 1), mlp * vector + mask)


def _frames_bytes(
    tower: VisionFacts, items: int, element: int, budget: float, patch: float, *, looks_up: bool
) -> float:
    """Bytes while frames are encoded in chunks (`_encoder_chunk` of vLLM's gemma4_mm.py).

    The engine counts a vector of 64-bit zeros and a one for each of a patch's two axes, twice, though a tower that
    looks positions up makes none (transformers since 5.10.1). Elsewhere they lie beside a copy in the model's type.
    What earlier frames left is held, and the pictures of all.
    """
    places = 2 * tower.frame_patches * tower.positions
    frames = items * tower.frames
    together = min(frames, max(1, int(budget // (2 * 8 * places))))
    left = frames * tower.frame_patches * tower.hidden_size * element
    if not looks_up:
        return together * places * (8 + element) + left
    pictures = frames * tower.frame_patches * tower.patch_elements * FRAME_BYTES
    return together * tower.frame_patches * patch * element + left + pictures
