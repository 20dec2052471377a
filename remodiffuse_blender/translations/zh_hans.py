# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501, RUF001 - Chinese has punctuation and widths of its own
"""Simplified Chinese: every label and description of the interface."""

from __future__ import annotations

from typing import Final

MESSAGES: Final[dict[str, str]] = {
    "Mirror Edits": "镜像编辑",
    "A bone chosen for one side is followed by its counterpart, found by its name, on the other": (
        "为一侧选择骨骼时，另一侧按名称自动选择对应的骨骼"
    ),
    "Accept": "接受",
    "Put the take on the timeline of the active armature, as the settings under Insert say": (
        "按“插入”中的设置把此版本放到活动骨架的时间线上"
    ),
    "Take": "版本",
    "Number of the take in the list, -1 for the active one": "版本在列表中的编号，-1 表示活动版本",
    "Add": "添加",
    "Add the active action to your own library, with the caption on the left. It guides the next takes at once": (
        "把活动动作连同左侧的说明添加到自己的动作库，立即用于引导之后的版本"
    ),
    "Add Request Preset": "添加请求预设",
    "Keep prompt, length and settings under a name, or remove the ones that are chosen": (
        "以名称保存提示词、长度和设置，或删除所选的预设"
    ),
    "Add a Prompt": "添加提示词",
    "Add a prompt that follows in the same motion; the join is generated": "添加同一动作中接续的提示词，衔接部分由模型生成",
    "Another Seed": "换一个种子",
    "Sample the active take, or the action that was generated, once more with other seeds": (
        "用其他种子重新采样活动版本或已生成的动作"
    ),
    "Cancel": "取消",
    "Stop generating. The scene stays as it is": "停止生成，场景保持不变",
    "Stop fetching the model. What came so far is kept, and Fetch goes on from it": (
        "停止下载模型。已下载的部分会保留，下次从此处继续"
    ),
    "Stop importing. Clips that were added already stay": "停止导入，已添加的片段会保留",
    "Stop installing. What is there is kept, and Install goes on from it": "停止安装。已完成的部分会保留，下次从此处继续",
    "Pin or Ban": "固定或禁用",
    "Replace": "替换",
    "Use the clip that is chosen in the Motion Library instead of this one: pin that, ban this": (
        "用动作库中选中的片段代替此片段：固定前者，禁用后者"
    ),
    "Always use this clip as a reference, or never. Press it again to take that back": (
        "始终或从不使用此片段作为参考，再按一次撤销选择"
    ),
    "Library": "动作库",
    "Name of the clip's library": "片段所在动作库的名称",
    "Clip": "片段",
    "Number of the clip in its library": "片段在动作库中的编号",
    "Caption": "说明",
    "What the clip shows": "片段的内容",
    "Never Use": "从不使用",
    "Ban the clip instead of pinning it": "禁用片段而不是固定它",
    "Forget Pins and Bans": "清除固定与禁用",
    "Let retrieval choose the references alone again": "恢复由检索自动选择参考片段",
    "Clear Reference Pose": "清除参考姿态",
    "Work out the T-pose from the rest pose again": "重新由静置姿态推算 T 姿态",
    "Detect Again": "重新检测",
    "Look at the bones afresh and forget what was changed in the bone map": "重新识别骨骼，放弃对骨骼映射的修改",
    "Fetch a Model": "下载模型",
    "Fetch a published model from the Hugging Face hub. Every file is compared with its SHA-256": (
        "从 Hugging Face 下载已发布的模型，每个文件都核对 SHA-256"
    ),
    "Repository": "仓库",
    "OWNER/NAME on the hub": "仓库的“所有者/名称”",
    "Commit": "提交",
    "The commit that was published, 40 hexadecimal digits": "已发布的提交，40 位十六进制数",
    "SHA-256": "SHA-256",
    "Of the model's card, as published": "所发布的模型卡的 SHA-256",
    "Fill Preview Range": "填充预览范围",
    "Generate what the prompt says between what plays before the preview range and what plays after it": (
        "按提示词生成动作，连接预览范围之前和之后的动画"
    ),
    "Flip to Another Take": "切换版本",
    "Play the next or the previous take": "播放下一个或上一个版本",
    "Step": "步进",
    "1 for the next take, -1 for the one before": "1 为下一个版本，-1 为上一个版本",
    "Generate": "生成",
    "Generate motion for the prompt. Blender stays free meanwhile; the takes come into the list below": (
        "按提示词生成动作。期间 Blender 可照常使用，结果显示在下方列表中"
    ),
    "Generate on Enter": "按回车键生成",
    "Generate once Enter ends the typing in the prompt": "在提示词中按回车键结束输入后开始生成",
    "Import Folder": "导入文件夹",
    "Import the BVH files of a folder into your own library. Its captions.csv has the columns file and caption": (
        "把文件夹中的 BVH 文件导入自己的动作库。其中的 captions.csv 须有 file 和 caption 两列"
    ),
    "Folder": "文件夹",
    "The folder with captions.csv": "含有 captions.csv 的文件夹",
    "Licence": "许可证",
    "Licence of the files for which the table names none, for example CC0-1.0": (
        "表中未注明许可证的文件所用的许可证，例如 CC0-1.0"
    ),
    "Install": "安装",
    "Install PyTorch and what else the backend needs into the add-on's own folder. Blender stays free meanwhile": (
        "把 PyTorch 及后端所需的其他组件安装到插件自己的文件夹，期间 Blender 可照常使用"
    ),
    "Wait": "等待",
    "For scripts: seconds to wait for the end": "供脚本使用：等待完成的秒数",
    "Load Bone Map": "加载骨骼映射",
    "Use the bone map and the reference pose of a file": "使用文件中的骨骼映射和参考姿态",
    "Load Library": "加载动作库",
    "Copy a library file into your own folder; its clips guide the next takes": (
        "把动作库文件复制到自己的文件夹，其中的片段用于引导之后的版本"
    ),
    "File": "文件",
    "The library file": "动作库文件",
    "Begin at Playhead": "从播放头开始",
    "Let the motion begin at the current frame": "让动作从当前帧开始",
    "Play": "播放",
    "Play the clip on the armature. Stop brings back what was there before": "在骨架上播放片段，按“停止”恢复原状",
    "Roll another seed, for another motion": "随机选择另一个种子，得到不同的动作",
    "Reject": "拒绝",
    "Throw away all takes without a star, and bring back what the preview covered. Actions of accepted takes stay": (
        "丢弃所有未加星的版本并恢复预览前的状态。已接受版本的动作会保留"
    ),
    "Remove Clip": "移除片段",
    "Delete the chosen clip from your library for good": "从自己的动作库中永久删除所选片段",
    "Remove the Prompt": "移除提示词",
    "Take this prompt out of the row": "从序列中移除此提示词",
    "Prompt": "提示词",
    "Number of the prompt among those that follow": "后续提示词中的编号",
    "Remove Take": "移除版本",
    "Throw this take away, also one with a star": "丢弃此版本，即使已加星",
    "Repair": "修复",
    "Remove the backend's environment and install it again. Motions, models and libraries stay": (
        "删除后端环境并重新安装。动作、模型和动作库会保留"
    ),
    "Try Again": "重试",
    "Send the request that failed once more, as it was": "原样重新发送失败的请求",
    "Re-sample": "重新采样",
    "Make the chosen part of the active take, or of the action that was generated, anew": (
        "重新生成活动版本或已生成动作的所选部分"
    ),
    "Rig Report": "骨架报告",
    "Measure how well this armature follows the active take, or how its action looks. Nothing is changed": (
        "测量此骨架跟随活动版本的准确程度，或其动作的表现。不做任何更改"
    ),
    "No take and no action to measure": "没有可测量的版本或动作",
    "Limbs off by, mean (degrees)": "肢体偏差平均值（度）",
    "Limbs off by, at most (degrees)": "肢体偏差最大值（度）",
    "Joints off by, mean (% of leg)": "关节偏差平均值（腿长的 %）",
    "Fastest turn in a frame (degrees)": "单帧最大转动（度）",
    "The same in the motion (degrees)": "动作中的单帧最大转动（度）",
    "Standing feet slide, mean (cm/s)": "站立脚的滑动平均值（厘米/秒）",
    "Standing toes off the floor (cm)": "站立脚趾离地高度（厘米）",
    "Frames with a knee bent backwards": "膝盖反弯的帧数",
    "Way of the hips (% of the motion's)": "髋部行程（动作的 %）",
    "Restart Backend": "重启后端",
    "Start the backend now, or end it and start it again. A request on its way is cancelled": (
        "立即启动后端，或结束后重新启动。进行中的请求会被取消"
    ),
    "Save Bone Map": "保存骨骼映射",
    "Write the bone map and the reference pose to a file, for other characters that are built the same way": (
        "把骨骼映射和参考姿态写入文件，供结构相同的其他角色使用"
    ),
    "Save Library": "保存动作库",
    "Write a library of yours to a file that you can share": "把自己的动作库写入可分享的文件",
    "The file to write": "要写入的文件",
    "Name of the library": "动作库的名称",
    "Search": "搜索",
    "Find clips of all libraries by what they show": "按内容在所有动作库中查找片段",
    "Star": "加星",
    "Give the take a star, or take it away. Rejecting keeps takes with a star": (
        "给版本加星或取消加星。“拒绝”时保留加星的版本"
    ),
    "Stop Backend": "停止后端",
    "End the backend at once and give its memory back. A request on its way is cancelled": (
        "立即结束后端并释放内存。进行中的请求会被取消"
    ),
    "Stop": "停止",
    "End the preview of the clip; everything is as it was before": "结束片段预览，一切恢复原状",
    "Uninstall": "卸载",
    "Remove the backend's environment and give its disk space back. Motions, models and libraries stay": (
        "删除后端环境并释放磁盘空间。动作、模型和动作库会保留"
    ),
    "Take Out": "移出",
    "Take the library out of your folder. The file that it was loaded from stays": (
        "把动作库移出自己的文件夹，原文件会保留"
    ),
    "Use Pose as Reference": "用当前姿态作为参考",
    "Pose the character like a T: arms level, legs straight, facing forwards. Then this pose is taken as its T-pose": (
        "把角色摆成 T 形：双臂水平、双腿伸直、面朝前方，此姿态即作为其 T 姿态"
    ),
    "Wait for Takes": "等待版本",
    "Wait until the request is done. For scripts: it holds Blender up meanwhile": (
        "等待请求完成。供脚本使用：期间 Blender 会停顿"
    ),
    "Timeout": "超时",
    "Seconds after which it is an error": "超过此秒数视为错误",
    "Python": "Python",
    "The Python of an environment that has the backend's packages, or the folder of that environment; "
    "used instead of the one that Install makes": "含有后端软件包的环境的 Python 或该环境的文件夹，代替“安装”所建的环境",
    "Command": "命令",
    "A command that runs the backend, also on another machine: ssh gpu-box python -m backend serve; "
    "used instead of everything else": "运行后端的命令，也可在另一台机器上：ssh gpu-box python -m backend serve，优先于其他设置",
    "Wheels": "Wheel 包",
    "A folder of wheels that Install looks into before the network, or instead of it": (
        "“安装”优先于网络或代替网络查找的 wheel 包文件夹"
    ),
    "Install with": "安装所用",
    "The Python that Install makes its environment from, instead of Blender's own": (
        "“安装”建立环境所用的 Python，代替 Blender 自带的 Python"
    ),
    "Model": "模型",
    "What the next request is sampled with; empty for the backend's own choice": "下一个请求所用的模型，留空由后端选择",
    "Unload After (Minutes)": "卸载等待（分钟）",
    "Minutes without a request after which the model leaves the memory; 0 keeps it": (
        "无请求超过此分钟数后从内存卸载模型，0 表示保留"
    ),
    "Device": "设备",
    "What the model runs on": "运行模型的设备",
    "Automatic": "自动",
    "The fastest device that is there": "现有最快的设备",
    "NVIDIA or AMD GPU": "NVIDIA 或 AMD GPU",
    "A GPU by CUDA or ROCm": "使用 CUDA 或 ROCm 的 GPU",
    "Apple GPU": "Apple GPU",
    "A GPU by Metal": "使用 Metal 的 GPU",
    "Processor": "处理器",
    "The processor: works everywhere": "处理器：处处可用",
    "Score": "得分",
    "Source": "来源",
    "Seconds": "秒",
    "Seed": "种子",
    "Foot Slide": "滑步",
    "How fast feet move along the floor while they stand, in centimetres a second": "站立时脚在地面上滑动的速度，厘米/秒",
    "Difference": "差异",
    "Mean distance of the joints from the first take of its request, or from the motion that it was made from, in "
    "centimetres": "各关节与同一请求第一个版本或其来源动作的平均距离，厘米",
    "Edited": "已编辑",
    "The take was made from another motion": "此版本由另一段动作生成",
    "Mark a take that you like. Rejecting keeps it in the list": "标记喜欢的版本，“拒绝”时保留在列表中",
    "Accepted": "已接受",
    "An action was made of this take": "已由此版本生成动作",
    "What the character does next, without a break. Enter generates": "角色接下来不间断地做什么，按回车键生成",
    "Length of this part": "此部分的长度",
    "Wilder": "变化幅度",
    "How far the new takes may go from the old one: low stays close, 1 makes it afresh": (
        "新版本可偏离旧版本的程度：越低越接近，1 为完全重新生成"
    ),
    "Only Frames": "仅限帧范围",
    "Change only these frames of the timeline": "只修改时间线上的这些帧",
    "Start": "起始",
    "First frame that may change": "可修改的第一帧",
    "End": "结束",
    "Last frame that may change": "可修改的最后一帧",
    "Only Body Parts": "仅限身体部位",
    "Change only these parts of the body": "只修改这些身体部位",
    "Body Parts": "身体部位",
    "Parts of the body that may change": "可修改的身体部位",
    "Left Arm": "左臂",
    "Left collar, shoulder, elbow and wrist": "左锁骨、肩、肘和腕",
    "Right Arm": "右臂",
    "Right collar, shoulder, elbow and wrist": "右锁骨、肩、肘和腕",
    "Left Leg": "左腿",
    "Left hip, knee, ankle and toes": "左髋、膝、踝和脚趾",
    "Right Leg": "右腿",
    "Right hip, knee, ankle and toes": "右髋、膝、踝和脚趾",
    "Torso": "躯干",
    "Spine": "脊柱",
    "Head": "头部",
    "Neck and head": "颈部和头部",
    "Other Prompt": "其他提示词",
    "Another prompt for what is made anew; empty: the prompt of the motion itself": (
        "重新生成部分所用的其他提示词，留空则用动作自己的提示词"
    ),
    "At": "位置",
    "Where on the timeline the motion begins": "动作在时间线上的起点",
    "Frame": "帧",
    "Begin at the frame below: at first where the playhead was": "从下方的帧开始，初始为播放头的位置",
    "End of Animation": "动画末尾",
    "Begin after the last key or strip of the armature": "从骨架最后的关键帧或片段条之后开始",
    "Preview Range": "预览范围",
    "Replace what is in the preview range (P in the timeline sets it)": "替换预览范围内的内容（在时间线中按 P 设置）",
    "The frame at which the motion begins": "动作开始的帧",
    "As": "形式",
    "What the motion becomes": "动作的存放形式",
    "New Action": "新动作",
    "A new action on the armature. The old action stays in the file": "骨架上的新动作，旧动作保留在文件中",
    "NLA Strip": "NLA 片段条",
    "A strip on a track of its own. The active action goes to a track below it": (
        "单独轨道上的片段条，活动动作移到其下方的轨道"
    ),
    "Keys in Action": "并入动作",
    "Keys in the active action. Its keys outside of the range stay as they are": (
        "写入活动动作的关键帧，范围之外的关键帧保持不变"
    ),
    "Continue from Pose": "承接姿态",
    "Move and turn the motion so that it goes on from where the character stands and faces": (
        "移动并旋转动作，使其从角色所站的位置和朝向继续"
    ),
    "Blend In": "淡入",
    "Frames in which the pose before fades into the motion; for strips and merged keys": (
        "之前的姿态过渡到动作的帧数，用于片段条和并入的关键帧"
    ),
    "Blend Out": "淡出",
    "Frames in which the motion fades into the pose that comes after it; for strips and merged keys": (
        "动作过渡到之后姿态的帧数，用于片段条和并入的关键帧"
    ),
    "Loop to Fill": "循环填满",
    "Repeat the motion's best cycle until the preview range is full, or for the seconds below": (
        "重复动作的最佳循环，直到填满预览范围或达到下方的秒数"
    ),
    "Loop Seconds": "循环秒数",
    "Length of the looped motion where no preview range is filled": "不填充预览范围时循环动作的长度",
    "In Place": "原地",
    "Without travel along the ground": "不在地面上移动",
    "Mark as Asset": "标记为资产",
    "Show the action in the Asset Browser, with a preview picture and tags": "在资产浏览器中显示动作，带预览图和标签",
    "What the character does, in English: one motion in a sentence. Enter generates": (
        "用英语一句话描述角色的动作，按回车键生成"
    ),
    "Length of the motion, 0.8 to 9.8 seconds": "动作的长度，0.8 至 9.8 秒",
    "The same prompt, length and seed give the same motion": "相同的提示词、长度和种子得到相同的动作",
    "Lock Seed": "锁定种子",
    "Keep the seed: generating again gives the same takes. Unlocked, the next ones are made": (
        "保持种子：再次生成得到相同的版本。解锁后生成后续的版本"
    ),
    "Takes": "版本",
    "How many variations are made at once: this seed and the next ones": "一次生成的变体数量：此种子及其后的种子",
    "Then": "然后",
    "Prompts that follow in one continuous motion; the joins are generated too": (
        "在一段连续动作中接续的提示词，衔接部分同样由模型生成"
    ),
    "Quality": "质量",
    "How carefully a motion is sampled": "采样的精细程度",
    "Full": "完整",
    "As the model was made for": "按模型的设计",
    "Fast": "快速",
    "Fewer steps: sooner there, a little coarser": "步数较少：更快，略粗糙",
    "Text or References": "文本或参考",
    "Follow the text more closely (-1) or the reference clips (1)": "更贴近文本（-1）或参考片段（1）",
    "Mixture Scale": "混合强度",
    "How strongly prompt and references pull: 1 as the model was made for, 0 lets go, 2 exaggerates": (
        "提示词和参考的影响强度：1 为模型设计值，0 为放开，2 为夸张"
    ),
    "Active Take": "活动版本",
    "The take that plays on the armature": "在骨架上播放的版本",
    "Play on Armature": "在骨架上播放",
    "Play the active take on the armature. Reject brings back what was there before": (
        "在骨架上播放活动版本，按“拒绝”恢复原状"
    ),
    "How well it fits what was searched for": "与搜索内容的匹配程度",
    "Where the clip comes from": "片段的来源",
    "Under which licence the clip may be used": "片段的使用许可证",
    "Length of the clip": "片段的长度",
    "Find clips of all libraries by what they show; empty: your own newest clips": (
        "按内容在所有动作库中查找片段，留空显示自己最新的片段"
    ),
    "The clip that the buttons below are for": "下方按钮所针对的片段",
    "What the active action shows, in a sentence": "用一句话说明活动动作的内容",
    "Licence of what you add; of generated motions it is the model's": "所添加内容的许可证，生成的动作沿用模型的许可证",
    "Travel": "移动",
    "What carries the way along the ground": "由什么承载地面上的移动",
    "Hips": "髋部",
    "The hips themselves": "髋部本身",
    "Root Bone": "根骨骼",
    "The topmost bone above the hips; the hips where there is none": "髋部之上最顶层的骨骼，没有时为髋部",
    "Object": "物体",
    "The armature object": "骨架物体",
    "Where the motion begins": "动作开始的地方",
    "At Armature": "骨架处",
    "Where the armature stands and faces": "骨架所在的位置和朝向",
    "World Origin": "世界原点",
    "At the origin of the world, facing -Y": "在世界原点，面朝 -Y",
    "Stride": "步幅",
    "Way along the ground, on top of the leg's length": "地面移动的比例，在腿长之外",
    "Vertical": "垂直",
    "Ups and downs, on top of the leg's length": "上下起伏的比例，在腿长之外",
    "Foot Lock": "脚部锁定",
    "How firmly feet in contact stay where they are": "触地的脚保持不动的程度",
    "Limbs": "四肢",
    "Which controls get keys, on control rigs that have both": "在兼有两种控制器的绑定上为哪种控制器设置关键帧",
    "FK": "FK",
    "Rotations of the limbs": "四肢的旋转",
    "IK": "IK",
    "Hands, feet and poles": "手、脚和极向",
    "Fingers": "手指",
    "A pose for the fingers; motions do not move them": "手指的姿态，动作本身不驱动手指",
    "Keep": "保持",
    "Leave them as they are": "保持原样",
    "Relaxed": "放松",
    "Slightly bent, as in a hand that hangs": "微微弯曲，如自然下垂的手",
    "All fingers bent, the thumb over them": "所有手指弯曲，拇指压在上面",
    "All fingers straight": "所有手指伸直",
    "Fist": "握拳",
    "Flat": "伸平",
    "A Backend of Your Own, Another Machine, Without Network": "自备后端、其他机器、无网络",
    "Restart": "重启",
    "Models": "模型",
    "Open Preferences": "打开偏好设置",
    "Bone Map": "骨骼映射",
    "Load": "加载",
    "Save": "保存",
    "Without a Bone": "无骨骼",
    "Motion Library": "动作库",
    "Libraries": "动作库列表",
    "Search clips": "搜索片段",
    "What the active action shows": "活动动作的内容",
    "Generate Motion": "生成动作",
    "Insert": "插入",
    "References": "参考",
    "Advanced": "高级",
    "a person walks forward": "a person walks forward",
    "Same prompt": "相同提示词",
    "then ...": "然后……",
    "No clip of a library was used": "未使用动作库中的片段",
    "Request Presets": "请求预设",
    "Last Prompts": "最近的提示词",
    "Nothing has been generated yet": "尚未生成任何内容",
    "Retargeting": "重定向",
    "Switch In Place": "切换原地",
    "Take the way along the ground out of the inserted motion, or put it back": "去除已插入动作在地面上的移动，或恢复它",
    "The frame at which the motion begins; it may lie between two frames": "动作开始的帧，可位于两帧之间",
    "Without the way along the ground; sway and steps stay. Switch In Place under Retargeting brings it back at any time": "不在地面上移动，保留摆动和步伐。可随时用“重定向”下的“切换原地”恢复",
    "Keys": "关键帧",
    "How many keys the motion gets": "动作的关键帧数量",
    "Every Frame": "每一帧",
    "A key on every frame: exactly the motion": "每帧一个关键帧：与动作完全一致",
    "Few": "少量",
    "As few keys as the tolerance allows: curves that can be edited by hand": "在容差内尽量少的关键帧：便于手动编辑曲线",
    "Tolerance": "容差",
    "How far off rotations may be between keys, in degrees": "关键帧之间旋转的允许偏差，以度为单位",
    "Location Tolerance": "位置容差",
    "How far off locations may be between keys, in metres of a person of usual size": "关键帧之间位置的允许偏差，按常人体型以米为单位",
    "Interpolation": "插值",
    "What curves do between keys": "曲线在关键帧之间的形状",
    "Linear": "线性",
    "Straight lines": "直线",
    "Bezier": "贝塞尔",
    "Smooth curves with handles": "带控制柄的平滑曲线",
}
